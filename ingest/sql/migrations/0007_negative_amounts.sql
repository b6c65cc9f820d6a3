-- Amounts below zero are quarantined unless the park document says that they may occur.

alter table point add column may_be_negative boolean not null default false;
