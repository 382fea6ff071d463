#!/bin/sh
# For the container of PostgreSQL: roles.sql with the passwords from their files, once, when its data folder is made.
set -eu
OWNER_PASSWORD=$(cat /run/secrets/owner_password)
PROGRAM_PASSWORD=$(cat /run/secrets/program_password)
export OWNER_PASSWORD PROGRAM_PASSWORD
psql --username "$POSTGRES_USER" --dbname postgres --file=/roles.sql
