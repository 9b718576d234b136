// The linter of static/: what TypeScript (jsconfig.json) does not tell.
import js from "@eslint/js";

export default [
  js.configs.recommended,
  {
    languageOptions: { sourceType: "module" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-undef": "off", // TypeScript knows what a browser offers
      "array-callback-return": "error",
      "complexity": ["error", 14], // each `?.` counts for one
      "eqeqeq": "error",
      "no-alert": "error",
      "no-console": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-script-url": "error",
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
