"""Organisations as their members see them."""

from typing import cast

from raptorflow.accounts.models import Organisation
from raptorflow.accounts.schemas import OrganisationView, RoleName


def organisation_view(organisation: Organisation, role: str) -> OrganisationView:
    """An organisation, and what the caller is in it."""
    return OrganisationView(
        id=organisation.org_id,
        slug=organisation.slug,
        name=organisation.name,
        is_personal=organisation.is_personal,
        role=cast("RoleName", role),
    )
