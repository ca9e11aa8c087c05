-- Whom a word begins: names in the vault by the words they consist of. The campaign is
-- a word as well, so that a search stays within it. What is erased has no words.

create function plain_words(said text) returns text[]
language sql immutable parallel safe
return array_remove(string_to_array(lower(translate(said,
    E'.,;:/\\@_-()&''"+*!?#[]{}|<>=%$^~`\t\r\n',
    '                                    ')), ' '), '');

create function contact_words(campaign uuid, name text, business_name text)
returns tsvector language sql immutable parallel safe
return array_to_tsvector(plain_words(
    coalesce(left(name, 200), '') || ' ' || coalesce(left(business_name, 200), '')
) || campaign::text);

create function contact_query(campaign uuid, said text) returns tsquery
language sql immutable parallel safe
return concat_ws(' & ', quote_literal(campaign::text), (
    select string_agg(quote_literal(word) || ':*', ' & ')
    from unnest(plain_words(left(said, 200))) as word
))::tsquery;

-- Imports append to its pending list, which vacuum sorts in, not they.
create index contact_vault_words on contact_vault
    using gin (contact_words(campaign_id, name, business_name))
    with (fastupdate = on, gin_pending_list_limit = 262144);
