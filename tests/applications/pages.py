"""A person at a form: opens the page, fills fields by name, presses a button. No script, as every page must work."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.html import check_page

_XHTML = "{http://www.w3.org/1999/xhtml}"
Values = dict[str, list[str]]


def forms(root: Element) -> list[tuple[str, Values]]:
    """Address and field values of every form that writes, as a browser would send them."""
    found = []
    for form in root.iter(_XHTML + "form"):
        if (form.get("method") or "get").lower() == "post":
            found.append((form.get("action") or "", _values(form)))
    return found


def _values(form: Element) -> Values:
    values: Values = {}
    for control in form.iter():
        name = control.get("name")
        if not name:
            continue
        match control.tag.removeprefix(_XHTML):
            case "input" if control.get("type") in ("checkbox", "radio"):
                if control.get("checked") is not None:
                    values.setdefault(name, []).append(control.get("value") or "on")
            case "input" if control.get("type") != "file":
                values.setdefault(name, []).append(control.get("value") or "")
            case "textarea":
                values.setdefault(name, []).append("".join(control.itertext()))
            case "select":
                chosen = [o for o in control.iter(_XHTML + "option") if o.get("selected") is not None]
                options = chosen or list(control.iter(_XHTML + "option"))[:1]
                values.setdefault(name, []).extend(o.get("value") or "" for o in options)
    return values


def send(client: FlaskClient, path: str, *, to: str = "", page: str = "", **typed: object) -> TestResponse:
    """Open ``page`` (or ``path``), fill its form to ``to`` (or the one with the fields named), and send it.

    A list fills a field several times; None leaves a field out; what is not named is sent as the page gave it.
    """
    root = check_page(client.get(page or path))
    wanted = to or path
    candidates = [values for action, values in forms(root) if (action or path) == wanted]
    assert candidates, f"{page or path} has no form to {wanted}"
    values = next((v for v in candidates if any(name in v for name in typed)), candidates[0])
    return post(client, wanted, values, **typed)


def post(client: FlaskClient, path: str, values: Values, **typed: object) -> TestResponse:
    """Send values with some of them changed."""
    data: dict[str, object] = dict(values)
    for name, value in typed.items():
        if value is None:
            data.pop(name, None)
        else:
            data[name] = value
    return client.post(path, data=data, content_type="multipart/form-data")


def values_of(client: FlaskClient, path: str, *, to: str = "") -> Values:
    """What the form of a page would send as it stands."""
    root = check_page(client.get(path))
    return next(values for action, values in forms(root) if (action or path) == (to or path))


def text_of(response: TestResponse) -> str:
    """All words of a page, checked for its form on the way."""
    return " ".join("".join(check_page(response).itertext()).split())
