"""Finding a referral by its exact reference. What is not mine is not there."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for

from desk.answers import Page
from desk.forms import FindForm
from directory import permissions
from directory.guards import guard, signed_in
from foundation import database, web
from foundation.identifiers import readable
from routing.standing import find_standing

# The letter R and six characters.
_LENGTH = 7


@guard("desk.enter")
def find_page() -> Page:
    """The field, or the referral that was asked for."""
    form = FindForm(request.args)
    if not form.reference.data:
        return render_template("find.html", form=form)
    reference = _written(form.reference.data)
    with database.reading(web.engine()) as session:
        found = find_standing(session, reference) if form.validate() else None
    if found and permissions.allowed(signed_in().member, "referral.see", found[1]):
        return redirect(url_for("desk.referral", reference=reference))
    form.reference.errors = ("There is no such referral, or it is not yours to see. Check the reference.",)
    return render_template("find.html", form=form), 404


def _written(typed: str) -> str:
    """As it is stored, whatever the case, the spaces and the dashes: `r7k3m q2` is `R-7K3M-Q2`."""
    code = "".join(readable(typed).replace("-", " ").split())
    code = code[1:] if len(code) == _LENGTH else code
    return f"R-{code[:4]}-{code[4:]}"
