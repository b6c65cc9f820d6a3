-- Roles and persons of the books: who enters, who approves, who only looks.

alter table api_token drop constraint api_token_role_check;
alter table api_token add constraint api_token_role_check check (role in ('admin', 'editor', 'approver', 'auditor', 'viewer', 'wall'));
alter table api_token add column person text not null default '';
