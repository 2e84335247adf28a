#!/bin/sh
# A server that starts, stays, and never answers.
exec tail -f /dev/null
