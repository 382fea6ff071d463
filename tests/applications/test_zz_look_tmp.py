import threading, os
from datetime import timedelta
from flask import Flask
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server
from grants.core import clock
from grants.core.db import db
from grants.applications import queries, services
from grants.applications.rules import InviteInput, SectionInput, BudgetInput
from grants.dossiers.rules import Answer, Mark
from grants.budgets.rules import Cell
from grants.core.money import euros
from grants.identity.views import SESSION_KEY
from tests import actors
from tests.factories import applications as factory
from tests.factories.applications import *
from tests.browser.conftest import CHROMIUM, FLAGS

def test_look(app: Flask, tmp_path):
    app.config["WTF_CSRF_ENABLED"] = False
    app.config["SESSION_COOKIE_SECURE"] = False
    with clock.at(factory.BEFORE_OPENING):
        for each in (actors.ana, actors.marek, actors.eli, actors.ingrid): each()
    call = factory.published_call()
    started = clock.at(WHILE_OPEN); started.__enter__()
    ref = factory.draft(call, actors.ana(), "Warm Blocks: shared heat for apartment neighbourhoods")
    with clock.at(WHILE_OPEN):
        ana = actors.ana()
        aid = queries.id_of(ana, ref)
        services.edit_details(ana, aid, services.drafting.DetailsInput(title="Warm Blocks: shared heat for apartment neighbourhoods", acronym="Warm Blocks", summary="Neighbouring blocks decide once, together."))
        marek = actors.marek(); (sp,) = marek.organisation_ids; (nb,) = ana.organisation_ids
        services.invite(ana, aid, InviteInput("marek.nowak@example.eu", "Marek Nowak", sp))
        services.save_section(ana, aid, "change", SectionInput((Answer("barrier", "Târgu Ștefănel has 212 apartment blocks built before 1985.\n\nToday owners vote building by building."),), Mark.OPEN, None))
        services.save_section(ana, aid, "summary", SectionInput((Answer("summary", "word "*160), ), Mark.COMPLETE, None))
        services.save_section(ana, aid, "city", SectionInput(tuple(factory.answer_to(q) for q in call.content.definition.section("city").questions), Mark.COMPLETE, None))
        services.save_budget(ana, aid, BudgetInput((Cell(nb,"A",euros(1286000)),Cell(nb,"B",euros(60000)),Cell(nb,"C1",euros(14000)),Cell(sp,"A",euros(164000)),Cell(sp,"C2",euros(68000))), None))
        factory.attach(aid, ana, "attachment_mandate", "Letter of mandate.pdf")
    done = factory.submitted(call, actors.ana(), "Green Trams for Northbridge")
    dref = queries.view_by_id(done).reference
    moment = {"at": WHILE_OPEN}
    inner = app.wsgi_app
    def frozen(environ, start):
        with clock.at(moment["at"]):
            return inner(environ, start)
    app.wsgi_app = frozen
    server = make_server("127.0.0.1", 8923, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    def cookie(actor):
        client = actors.client_of(app, actor)
        return client.get_cookie(app.config["SESSION_COOKIE_NAME"]).value
    sp_ = f"/applications/{ref}"; dp = f"/applications/{dref}"
    plan = [("ana", actors.ana(), WHILE_OPEN + timedelta(minutes=5), [("list","/applications"),("new",f"/applications/new?call={call.slug}"),("choose","/applications/new"),("tasks",sp_),("section",sp_+"/sections/change"),("summary",sp_+"/sections/summary"),("budget",sp_+"/budget"),("team",sp_+"/team"),("files",sp_+"/files"),("check",sp_+"/check"),("submit",dp+"/submit"),("receipt",dp+"/receipt"),("print",dp+"/print"),("withdraw",dp+"/withdraw"),("dtasks",dp)]),
            ("marek", actors.marek(), WHILE_OPEN + timedelta(minutes=5), [("team",sp_+"/team"),("tasks",sp_),("budget",sp_+"/budget")]),
            ("eli", actors.eli(), AFTER_CLOSING, [("list","/applications"),("elist",f"/calls/{call.slug}/eligibility"),("desk",dp+"/eligibility"),("show",dp)])]
    cookies = {}
    for name, actor, at, _ in plan:
        with clock.at(at): cookies[name] = cookie(actor)
    only = os.environ.get("ONLY")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(FLAGS))
        for width in (1280, 360):
            for name, actor, at, pages in plan:
                moment["at"] = at
                ctx = browser.new_context(viewport={"width": width, "height": 900})
                ctx.add_cookies([{"name": app.config["SESSION_COOKIE_NAME"], "value": cookies[name], "url": "http://127.0.0.1:8923"}])
                page = ctx.new_page()
                page.on("console", lambda m: print("CONSOLE", m.text) if m.type=="error" else None)
                for label, path in pages:
                    if only and only not in label: continue
                    r = page.goto("http://127.0.0.1:8923" + path)
                    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    print(name, label, width, r.status, "OVERFLOW" if over > 0 else "", over)
                    page.screenshot(path=f"/tmp/look/{name}-{label}-{width}.png", full_page=True)
                ctx.close()
        browser.close()
    server.shutdown()
