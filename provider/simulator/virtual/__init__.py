"""The provider in virtual time, for rehearsals: no process, no network."""
