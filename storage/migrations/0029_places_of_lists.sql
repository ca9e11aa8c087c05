-- Older writers: allowed
--
-- Which versions of the data about places have determined groups of contacts. Lists
-- imported up to `since` may have groups of an earlier version; `seen_list` and
-- `seen_row` are how far they were determined again.
create table places_version (
    version text primary key,
    since bigint not null,
    seen_list bigint not null default 0,
    seen_row bigint not null default -1,
    is_complete boolean not null default false
);
