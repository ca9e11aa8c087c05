-- A search for "7" found everybody in a campaign whose id begins with 7: the id stood
-- among the words. Behind a sign that no word keeps it is reached by nothing typed.

drop index contact_vault_words;

create or replace function contact_words(campaign uuid, name text, business_name text)
returns tsvector language sql immutable parallel safe
return array_to_tsvector(plain_words(
    coalesce(left(name, 200), '') || ' ' || coalesce(left(business_name, 200), '')
) || ('@' || campaign::text));

create or replace function contact_query(campaign uuid, said text) returns tsquery
language sql immutable parallel safe
return concat_ws(' & ', quote_literal('@' || campaign::text), (
    select string_agg(quote_literal(word) || ':*', ' & ')
    from unnest(plain_words(left(said, 200))) as word
))::tsquery;

create index contact_vault_words on contact_vault
    using gin (contact_words(campaign_id, name, business_name))
    with (fastupdate = on, gin_pending_list_limit = 262144);
