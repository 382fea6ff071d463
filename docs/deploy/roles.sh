#!/bin/sh
# For the container of PostgreSQL: roles.sql with the passwords from their files, once, when its data folder is made.
set -eu
psql --username "$POSTGRES_USER" --dbname postgres --file=/roles.sql \
  --set=owner_password="$(cat /run/secrets/owner_password)" \
  --set=program_password="$(cat /run/secrets/program_password)"
