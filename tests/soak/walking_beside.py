"""What stands beside the money of a grant, done on the straight ways alone: it posts nothing, whatever a random walk did before."""

from __future__ import annotations

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements import services as agreeing
from grants.agreements.rules import ContactInput, DismissInput
from grants.agreements.states import ContactRole
from grants.core import clock
from grants.core.db import db, get
from grants.core.legal_holds import LegalHold
from grants.core.permissions import Permission, system_actor
from grants.identity.models import User
from grants.payments import services
from grants.payments.models import OwnAccount
from grants.payments.rules.own_accounts import OwnAccountInput
from grants.payments.rules.retaining import HoldInput
from tests import actors
from tests.soak.steps import Steps, numbers
from tests.soak.worlds import iban

MONTHLY = system_actor("the program", [Permission.FORECAST_KEEP_MONTHLY])
# Account numbers clear of those that walks pay from.
FIRST_OTHER = 100_000


class BesideSteps(Steps):
    """People, forecasts, legal holds and other accounts of the programme."""

    def open_prefinancing_again(self) -> None:
        """The signed schedule opens pre-financing once."""
        grant_id, program = self.grant.grant_id, actors.program()
        assert self.follows(lambda: services.open_prefinancing(program, grant_id)) is None, "opened twice"

    def keep_forecasts(self) -> None:
        """A person keeps the forecast at any time, the program once a month; who reads everything changes nothing."""
        nuria, otto = actors.nuria(), actors.otto()
        self.tried(False, lambda: services.keep_forecast(nuria))
        self.tried(True, lambda: services.keep_forecast(otto))
        self.follows(lambda: services.keep_monthly(MONTHLY))
        assert self.follows(lambda: services.keep_monthly(MONTHLY)) is None, "kept twice in one month"

    def hold_its_records(self) -> None:
        """One person holds the records of the grant, and another lets them go."""
        otto, olga = actors.otto(), actors.olga()
        given = HoldInput(self.grant.reference, "A court asked for them.")
        number = self.tried(True, lambda: services.set_hold(otto, given))
        self.tried(False, lambda: services.set_hold(olga, given))
        hold_id = db.session.scalars(select(LegalHold.id).where(LegalHold.number == number)).one()
        self.tried(False, lambda: services.lift_legal_hold(otto, hold_id, reason="Done."))
        self.tried(True, lambda: services.lift_legal_hold(olga, hold_id, reason="Done.") or "lifted")

    def another_own_account(self) -> None:
        """The programme enters another account to pay from: a second person confirms it, and closes it again."""
        fin, carl = actors.fin(), actors.carl()
        programme_id, number = get(OwnAccount, self.account).programme_id, iban(FIRST_OTHER + next(numbers))
        given = OwnAccountInput(programme_id, "Pilot Cities Programme", number, "BE", "Brussels")
        self.tried(True, lambda: services.enter_own_account(fin, given))
        self.tried(False, lambda: services.enter_own_account(fin, given))
        other = db.session.scalars(select(OwnAccount.id).where(OwnAccount.iban == number)).one()
        self.tried(False, lambda: services.confirm_own_account(fin, other, evidence="Letter of the bank"))
        self.tried(True, lambda: services.confirm_own_account(carl, other, evidence="Letter of the bank") or "done")
        self.tried(True, lambda: services.close_own_account(carl, other, reason="Not needed.") or "closed")
        self.tried(False, lambda: services.close_own_account(carl, other, reason="Not needed.") or "closed")

    def other_people_of_the_city(self) -> None:
        """Another contact of the city is named and dismissed; the last signatory stays."""
        with clock.at(self.now):
            person = actors.person("Nora Second", organisation_name=actors.NORTHBRIDGE)
        email, grant_id, officer = get(User, person).email, self.grant.grant_id, self.officer
        given = ContactInput("Nora Second", email, ContactRole.SIGNATORY)
        nobody = ContactInput("Nobody", "nobody@example.org", ContactRole.LEAD)
        self.tried(False, lambda: agreeing.appoint(officer, grant_id, nobody))
        self.tried(True, lambda: agreeing.appoint(officer, grant_id, given))
        contacts = agreements.contacts(self.grant.application_id)
        for each in (each for each in contacts if each.role is ContactRole.SIGNATORY):
            ends = DismissInput(each.handle, each.role, "Another office.")
            last = each.user_id != person
            if not last:
                self.tried(True, lambda ends=ends: agreeing.dismiss(officer, grant_id, ends) or "dismissed")
        (left,) = (
            each for each in agreements.contacts(self.grant.application_id) if each.role is ContactRole.SIGNATORY
        )
        ends = DismissInput(left.handle, left.role, "Another office.")
        self.tried(False, lambda: agreeing.dismiss(officer, grant_id, ends) or "dismissed")
