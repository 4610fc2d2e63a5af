#!/bin/sh
# The weekly run: pulls what is new, writes a report and compares it with that of the last run. Install it as
# /usr/local/bin/patwatch-weekly; patwatch.cron, patwatch.service and the container image start it.
#
# The folder PATWATCH_HOME keeps the lake, the last report in last/, the one before it in before/, and, where reviewers have
# decided, decisions.csv. Exit code 1: something new is high, or something critical is still undecided. Exit code 2: not all
# could be pulled, or the log of an organisation is older than three days. The report is made in every case.
set -u
organisations=${ORGANISATIONS:-contoso,fabrikam}
cd "${PATWATCH_HOME:-/var/lib/patwatch}" || exit 2
umask 077
export PATWATCH_LAKE="${PATWATCH_LAKE:-$PWD/lake}"

patwatch -q pull --org "$organisations"
pulled=$?

set -- --fail-on critical --fail-on-new high --max-age 3d
if [ -f last/manifest.json ]; then set -- "$@" --compare last; fi
if [ -f decisions.csv ]; then set -- "$@" --decisions decisions.csv; fi
rm -rf new
patwatch -q report --output new "$@"
reported=$?

# A folder without a manifest is no complete report: the last complete one stays.
if [ -f new/manifest.json ]; then
  rm -rf before
  if [ -d last ]; then mv last before; fi
  mv new last
fi
if [ "$pulled" -gt "$reported" ]; then exit "$pulled"; fi
exit "$reported"
