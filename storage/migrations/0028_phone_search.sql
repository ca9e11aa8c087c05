-- Older writers: allowed
-- Numbers in the vault by their last digits, so that a search for them finds contacts.

create index contact_vault_phone_end on contact_vault (reverse(phone));
