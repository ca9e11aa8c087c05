-- Older writers: allowed
--
-- Numbers of erased people as keyed digests, so that a message about a call that we do
-- not know is recognised and its content is not stored. `digits` is how many digits of
-- the number the digest covers.
create table erased_number (
    digest bytea primary key,
    digits integer not null
);

create table erasure_key (
    id integer primary key check (id = 1),
    key bytea not null
);

insert into erasure_key (id, key)
select 1, sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));

-- Full-width, Arabic and Persian digits become ASCII digits.
create function autolynx_plain(said text) returns text
language sql immutable parallel safe
return translate(normalize(said, NFKC),
    '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹', '01234567890123456789');

create function autolynx_leaves(document jsonb) returns setof text
language sql immutable parallel safe
as $$
    select leaf #>> '{}' from jsonb_path_query(document, 'strict $.**') as leaf
    where jsonb_typeof(leaf) in ('string', 'number')
$$;

-- `pattern` is a regular expression for a number in any spelling. Of a name all words
-- must follow each other; a name of one word must be all there is.
create function autolynx_mentions(said text, pattern text, names text[])
returns boolean language sql immutable parallel safe
return autolynx_plain(said) ~ pattern or exists (
    select from unnest(names) as name
    where plain_words(autolynx_plain(said)) = plain_words(autolynx_plain(name))
        or (cardinality(plain_words(autolynx_plain(name))) > 1
            and ' ' || array_to_string(plain_words(autolynx_plain(said)), ' ') || ' '
                like '% ' || array_to_string(plain_words(autolynx_plain(name)), ' ')
                    || ' %')
);

create function autolynx_mentions(document jsonb, pattern text, names text[])
returns boolean language sql immutable parallel safe
as $$
    select exists (
        select from autolynx_leaves(document) as said
        where autolynx_mentions(said, pattern, names)
    )
$$;

-- In a row of a file the words of a name may be in any order and in several cells.
create function autolynx_row_names(cells jsonb, names text[])
returns boolean language sql immutable parallel safe
as $$
    select exists (
        select from unnest(names) as name, (
            select plain_words(autolynx_plain(string_agg(said, ' '))) as words
            from autolynx_leaves(cells) as said
        ) as row_of
        where cardinality(plain_words(autolynx_plain(name))) > 1
            and words @> plain_words(autolynx_plain(name))
    ) or autolynx_mentions(cells, '^\y$', names)
$$;

create function autolynx_number_digest(digits text) returns bytea
language sql stable
as $$
    select sha256(key || convert_to(digits, 'UTF8') || key) from erasure_key
$$;

-- Digits that are at most three other characters apart may be a number; letters and
-- colons, as in times and ids, separate numbers.
create function autolynx_has_erased_number(document jsonb) returns boolean
language plpgsql stable as $$
begin
    if not exists (select from erased_number) then
        return false;
    end if;
    return exists (
        select from autolynx_leaves(document) as said,
            regexp_matches(autolynx_plain(said),
                '[0-9](?:[^0-9A-Za-z:]{0,3}[0-9])+', 'g') as run,
            lateral (select regexp_replace(run[1], '[^0-9]', '', 'g') as digits) found,
            (select distinct digits as count from erased_number) wanted,
            generate_series(1, length(found.digits) - wanted.count + 1) as start
        where exists (
            select from erased_number
            where digest = autolynx_number_digest(
                substr(found.digits, start, wanted.count))
        )
    );
end $$;

create function autolynx_withhold_unmatched() returns trigger language plpgsql as $$
begin
    if autolynx_has_erased_number(
        jsonb_build_array(new.document, new.transcript, new.recording_url))
    then
        new.document := null;
        new.recording_url := null;
        new.transcript := null;
        new.salt := null;
        insert into erased_row (kind, id) values ('message', new.id)
        on conflict do nothing;
    end if;
    return new;
end $$;

-- What belongs to no campaign belongs to no call that is known.
create trigger withhold_unmatched before insert on message_vault
for each row when (new.campaign_id is null and new.salt is not null)
execute function autolynx_withhold_unmatched();

-- Under the append lock, as before; numbers that were erased after the row was written
-- are found here.
create or replace function autolynx_withhold(subjects uuid[])
returns void language plpgsql as $$
declare
    erased uuid[];
begin
    select array_agg(subject_id) into erased
    from erased_subject where subject_id = any(subjects);
    if erased is not null then
        update message_vault
        set document = null, recording_url = null, transcript = null, salt = null
        where subject_id = any(erased) and salt is not null;
        update words_vault set words = null, salt = null
        where subject_id = any(erased) and salt is not null;
    end if;
    if exists (select from erased_number) then
        with gone as (
            update message_vault
            set document = null, recording_url = null, transcript = null, salt = null
            where subject_id = any(subjects) and campaign_id is null
                and salt is not null
                and autolynx_has_erased_number(
                    jsonb_build_array(document, transcript, recording_url))
            returning id
        )
        insert into erased_row (kind, id) select 'message', id from gone
        on conflict do nothing;
    end if;
end $$;

-- ANALYZE does not replace the statistics of a table that has become empty: uploads
-- have none of what people are called. The same type again removes those there are.
alter table upload_row
    alter column name type text, alter column name set statistics 0,
    alter column business_name type text, alter column business_name set statistics 0,
    alter column phone type text, alter column phone set statistics 0,
    alter column variables type json, alter column variables set statistics 0;
alter table upload_reject
    alter column message type text, alter column message set statistics 0,
    alter column cells type json, alter column cells set statistics 0;
