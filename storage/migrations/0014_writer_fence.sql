-- Older writers: refused
--
-- Downgrade protection. Each migration declares in its first line whether processes of
-- an older version may go on writing: `allowed` or `refused`. A process states the
-- highest migration number that it ships as the session setting `autolynx.writer`;
-- release 1 states nothing. `least` is the lowest number that may write.
create table writer_fence (
    id integer primary key check (id = 1),
    least integer not null
);

insert into writer_fence (id, least) values (1, 0);

create function autolynx_refuse_older(code text) returns void language plpgsql as $$
begin
    raise exception using
        errcode = code,
        message = format(
            'this process is older than the database (migration %s): stop it and start'
            ' the version of AutoLynx that ran the last "autolynx migrate"',
            (select least from writer_fence));
end $$;

create function autolynx_is_older() returns boolean language plpgsql stable as $$
begin
    return coalesce(nullif(current_setting('autolynx.writer', true), ''), '0')::integer
        < (select least from writer_fence);
end $$;

-- Checked under the append lock, which a migration that refuses older writers holds: an
-- append is either committed before that migration begins or sees its fence.
create or replace function autolynx_append_lock(
    expect_ids uuid[], expect_versions bigint[]
) returns void language plpgsql as $$
declare
    moved uuid;
begin
    perform pg_advisory_xact_lock(x'4155544f4c594e58'::bigint);
    if coalesce(nullif(current_setting('autolynx.writer', true), ''), '0')::integer
        < (select least from writer_fence)
    then
        perform autolynx_refuse_older('LX002');
    end if;
    if cardinality(expect_ids) > 0 then
        select expected.id into moved
        from unnest(expect_ids, expect_versions) as expected (id, version)
        where expected.version <> coalesce(
            (select max(originator_version) from autolynx_events
             where originator_id = expected.id), 0)
        limit 1;
        if found then
            raise exception 'stream % has moved', moved using errcode = 'LX001';
        end if;
    end if;
end $$;

-- Nobody leads without a heartbeat: neither dials nor fills or rebuilds read tables. The
-- code is one of class 57, which every version treats as the loss of its leadership.
create function autolynx_refuse_older_leader() returns trigger language plpgsql as $$
begin
    if autolynx_is_older() then
        perform autolynx_refuse_older('57000');
    end if;
    return null;
end $$;

create trigger refuse_older_leader before insert or update on heartbeat
for each statement execute function autolynx_refuse_older_leader();

-- Release 1 reads its migrations at start and for /readyz from a table of this name. It
-- now gets an error that says what to do.
alter table schema_migration rename to autolynx_migration;

create function autolynx_refuse_release_1()
returns table (number integer, name text, sha256 text, applied_at timestamptz)
language plpgsql as $$
begin
    perform autolynx_refuse_older('LX002');
end $$;

create view schema_migration as select * from autolynx_refuse_release_1();
