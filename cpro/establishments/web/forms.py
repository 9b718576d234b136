"""Forms of the settings tabs: French labels and shape; the rules are those of the operations."""

from __future__ import annotations

from flask_wtf.file import FileField
from wtforms import EmailField, RadioField, SelectChoice, SelectField, StringField, TelField, URLField

from cpro.core.validators import TIMEZONES
from cpro.core.web.forms import BaseForm, MayAskPassword, VersionedForm, checked, text_rule
from cpro.establishments.models import CNILKind, Module
from cpro.establishments.operations.particulars import RULES

YES, NO = "oui", "non"
_YES_OR_NO = [SelectChoice(YES, "Oui"), SelectChoice(NO, "Non")]
_CHOOSE = "Choisissez l’une des réponses proposées."


class ParticularsForm(MayAskPassword, VersionedForm):
    """The tab Établissement: every field may be left blank."""

    name = StringField("Nom de l’établissement", [checked(RULES["name"])])
    uai = StringField(
        "Code UAI (ex-RNE)", [checked(RULES["uai"])], description="Sept chiffres et une lettre, par exemple 0570109J."
    )
    email = EmailField(
        "Adresse électronique",
        [checked(RULES["email"])],
        description="Si vous la changez, votre mot de passe vous sera demandé.",
    )
    kind = StringField("Type d’établissement", [checked(RULES["kind"])])
    address_line1 = StringField("Adresse", [checked(RULES["address_line1"])])
    address_line2 = StringField("Complément d’adresse", [checked(RULES["address_line2"])])
    postal_code = StringField("Code postal", [checked(RULES["postal_code"])])
    city = StringField("Ville", [checked(RULES["city"])])
    phone = TelField("Téléphone", [checked(RULES["phone"])])
    website = URLField("Site internet", [checked(RULES["website"])])
    academy = StringField("Académie", [checked(RULES["academy"])])
    signatory_name = StringField("Nom du signataire", [checked(RULES["signatory_name"])])
    signatory_function = StringField(
        "Fonction du signataire",
        [checked(RULES["signatory_function"])],
        description="Imprimés avec le cachet, par exemple « Proviseure ».",
    )
    dpd_name = StringField("Délégué à la protection des données (DPD)", [checked(RULES["dpd_name"])])
    dpd_email = EmailField("Adresse électronique du DPD", [checked(RULES["dpd_email"])])
    timezone = SelectField(
        "Fuseau horaire",
        [checked(RULES["timezone"])],
        choices=[SelectChoice(zone, place) for zone, place in TIMEZONES.items()],
        validate_choice=False,  # the rule does: it takes a blank and says more
    )
    dreets = StringField("DREETS", [checked(RULES["dreets"])])
    mcpfa = StringField("MCPFA", [checked(RULES["mcpfa"])])
    greta_cfa = StringField("GRETA ou CFA", [checked(RULES["greta_cfa"])])


class TransfersForm(VersionedForm):
    """The tab Transferts."""

    cnil_kind = RadioField(
        "Nature de la référence",
        choices=[SelectChoice(kind.value, kind.label) for kind in CNILKind],
        invalid_choice_message=_CHOOSE,
    )
    cnil_reference = StringField(
        "Numéro de la déclaration, ou référence dans le registre",
        [text_rule(60)],
        description="Déclaration : 6 ou 7 chiffres, par exemple 1679866 v 0. Registre : 3 à 60 caractères.",
    )
    transfers_enabled = RadioField("Activer les transferts", choices=_YES_OR_NO, invalid_choice_message=_CHOOSE)
    uses_siecle = RadioField("L’établissement utilise SIECLE", choices=_YES_OR_NO, invalid_choice_message=_CHOOSE)


class ModulesForm(VersionedForm):
    """The tab Modules: one field per module, named by its value."""

    scenarios = RadioField(Module.SCENARIOS.label, choices=_YES_OR_NO, invalid_choice_message=_CHOOSE)
    passport = RadioField(Module.PASSPORT.label, choices=_YES_OR_NO, invalid_choice_message=_CHOOSE)
    inspectors = RadioField(Module.INSPECTORS.label, choices=_YES_OR_NO, invalid_choice_message=_CHOOSE)


_PICTURE = "PNG, JPEG, GIF ou WebP, 5 Mo au plus."


class PicturesForm(BaseForm):
    """The pictures to deposit, by the name of their kind: both are sent whichever button is pressed."""

    logo = FileField("Choisir une image…", id="file-logo", description=_PICTURE)
    cachet = FileField("Choisir une image…", id="file-cachet", description=_PICTURE)
