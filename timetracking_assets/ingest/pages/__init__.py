"""All pages of a resource, requested through dlt's `RESTClient`; rows stay bytes."""
