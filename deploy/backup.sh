#!/bin/sh
# One backup a night in a folder, from the program's folder; those of more than thirty days go once a new one is there.
set -eu
folder=$1
name=cpro-$(date +%Y-%m-%d-%H%M%S).backup
.venv/bin/flask --app app backup "$folder/$name"
find "$folder" -maxdepth 1 -type f -name 'cpro-*.backup' -mtime +30 -delete
