-- How long a leader's silence may last, by its own word: standbys go by that.
alter table heartbeat add column silent_after double precision not null default 120;

-- By how much each process's host is ahead of the database's time.
create table process_clock (
    holder text primary key,
    role text not null,
    skew_seconds double precision not null,
    measured_at timestamptz not null
);

-- Which database was led last, and whether its leader left in peace: after a restore or
-- a fail-over the log may lack calls that the provider does not list yet.
create table last_led (
    id integer primary key check (id = 1),
    server text not null,
    copy text,
    left_at timestamptz
);

-- The cluster and its timeline; null where the server does not tell.
create function autolynx_timeline() returns text language plpgsql as $$
begin
    return (select system_identifier from pg_control_system())
        || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8);
exception when others then
    return null;
end $$;

-- `copy` outlives a restart of the server, and nothing else; `server` not even that.
create view led_now as
select d.oid || '/' || pg_relation_filenode(to_regclass('autolynx_events'))
        || '/' || extract(epoch from pg_postmaster_start_time()) as server,
    autolynx_timeline() || '/' || d.oid
        || '/' || pg_relation_filenode(to_regclass('autolynx_events')) as copy
from pg_database d where d.datname = current_database();

-- A log without events was never led; one that is older than this table may have been.
insert into last_led (id, server, copy, left_at)
select 1, server, copy, now() from led_now
where not exists (select from autolynx_events);
