#!/usr/bin/env bash
# The job as a careful script does it: build, push, then pull by digest, replace, wait until healthy, check, three times.
set -euo pipefail
# BENCH_HEALTH: further options of `docker run`, for the tuned script.
repository=$PROMOTER_LAB_REGISTRY/bench/${PWD##*/}
read -ra health <<<"${BENCH_HEALTH:-}"
docker build --quiet --build-arg "ROUND=$BENCH_ROUND" --tag "$repository:$BENCH_ROUND" . >/dev/null
docker push --quiet "$repository:$BENCH_ROUND" >/dev/null
image=$(docker inspect --format '{{index .RepoDigests 0}}' "$repository:$BENCH_ROUND")
for place in "dev $BENCH_PORT_DEV" "test $BENCH_PORT_TEST" "prod $BENCH_PORT_PROD"; do
  read -r environment port <<<"$place"
  name=$BENCH_NAME-$environment
  docker pull --quiet "$image" >/dev/null
  docker network inspect "$name" >/dev/null 2>&1 || docker network create --label "dev.promoter.pipeline=$BENCH_NAME" "$name" >/dev/null
  docker rm --force "$name" >/dev/null 2>&1 || true
  docker run --detach --init --name "$name" --network "$name" --label "dev.promoter.pipeline=$BENCH_NAME" \
    --publish "127.0.0.1:$port:8080" "${health[@]}" "$image" >/dev/null
  for _ in $(seq 300); do
    [ "$(docker inspect --format '{{.State.Health.Status}}' "$name")" = healthy ] && break
    sleep 0.1
  done
  answer=$(curl --fail --silent --max-time 5 "http://127.0.0.1:$port/")
  [ "$answer" = ready ]
done
