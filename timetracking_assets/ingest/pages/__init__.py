"""All pages of a resource, requested through dlt's `rest_api`; rows stay bytes."""
