"""Writes of the imports: applied and undone, object by object, in one short transaction each way."""
