-- Older writers: allowed
--
-- Imported suppression lists: 10,000 numbers a row as bits. The rows of a version are
-- written before the event that activates it, and never change afterwards.
create table suppression_version (
    version_id uuid primary key,
    created_at timestamptz not null,
    retired_at timestamptz,
    block_ids bytea
);

create table suppression_block (
    version_id uuid not null,
    block_id bigint not null,
    bits bytea not null,
    primary key (version_id, block_id)
);
