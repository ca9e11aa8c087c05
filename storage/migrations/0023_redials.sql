-- Older writers: allowed
--
-- Contacts that are copied from a campaign for a new one are staged as an upload. The
-- fingerprint identifies equal input of a member; it is null for files.
alter table upload add column fingerprint bytea;
create index upload_fingerprint on upload (fingerprint, created_at)
    where fingerprint is not null;
