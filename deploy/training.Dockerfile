# The trainer: the base dependencies of pyproject.toml with the extra `train`, model/ and training/. It fits, evaluates and publishes:
#   docker build --file deploy/training.Dockerfile --tag watchnext-training .
#   docker run --volume "$PWD:/work" watchnext-training train mine.yaml --registry registry
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS builder
WORKDIR /build
COPY pyproject.toml constraints.txt ./
# EXTRAS of pyproject.toml that are wanted too, such as `--build-arg EXTRAS="balancing tune"`.
ARG EXTRAS=""
# More options for pip, for instance an index with the CPU build of torch.
ARG PIP_OPTIONS=""
# What an extra takes from another of ours is named here, for pip would look for it elsewhere. torch comes first and pinned: what
# follows then brings no other build.
RUN python3 -c 'import sys, tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; print(*p["dependencies"], *(one for extra in sys.argv[1:] for one in p["optional-dependencies"][extra] if not one.startswith("watchnext[")), sep="\n")' train client ${EXTRAS} > requirements.txt \
    && python3 -m venv /build/pip \
    && python3 -m venv --without-pip /opt/watchnext \
    && /build/pip/bin/pip --python /opt/watchnext/bin/python install --no-cache-dir ${PIP_OPTIONS} "$(grep '^torch==' constraints.txt)" \
    && /build/pip/bin/pip --python /opt/watchnext/bin/python install --no-cache-dir ${PIP_OPTIONS} --requirement requirements.txt --constraint constraints.txt

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="WatchNext training" \
      org.opencontainers.image.description="Fits a ranker to logs and publishes it in a registry" \
      org.opencontainers.image.licenses="Apache-2.0"
# Libraries look for a home to keep their caches in; this user has none.
ENV PATH=/opt/watchnext/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONPATH=/app \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib
COPY --from=builder /opt/watchnext /opt/watchnext
COPY model /app/model
COPY training /app/training
COPY configs /app/configs
# Configs, logs and runs are mounted here.
WORKDIR /work
USER 10001:10001
ENTRYPOINT ["python", "-m", "training.cli"]
