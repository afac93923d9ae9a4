# The ranking service: the base dependencies of pyproject.toml with the extra `arrow`, service/ and model/contract/. No torch, no
# training.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS builder
WORKDIR /build
COPY pyproject.toml constraints.txt ./
# EXTRAS of pyproject.toml that are wanted too, such as `--build-arg EXTRAS=bfloat16`.
ARG EXTRAS=""
# One pip for building, none in what is shipped.
RUN python3 -c 'import sys, tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; print(*p["dependencies"], *(one for extra in sys.argv[1:] for one in p["optional-dependencies"][extra]), sep="\n")' arrow ${EXTRAS} > requirements.txt \
    && python3 -m venv /build/pip \
    && python3 -m venv --without-pip /opt/watchnext \
    && /build/pip/bin/pip --python /opt/watchnext/bin/python install --no-cache-dir --requirement requirements.txt --constraint constraints.txt
# The compiled kernels, for this base alone; the compiler stays behind.
RUN command -v gcc >/dev/null \
    || (apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*)
COPY model/contract/kernels.c model/contract/
RUN /build/pip/bin/pip install --no-cache-dir $(python3 -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])') \
    && /build/pip/bin/python -c 'import setuptools; setuptools.setup()' build_ext --inplace

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="WatchNext" \
      org.opencontainers.image.description="Ranks candidates by the live model of a registry, over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/watchnext/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WATCHNEXT_REGISTRY=/registry \
    WATCHNEXT_REGISTRY_CACHE=/tmp/watchnext \
    WATCHNEXT_HOST=0.0.0.0 \
    WATCHNEXT_PORT=8000 \
    WATCHNEXT_LOG_FORMAT=json
WORKDIR /app
COPY --from=builder /opt/watchnext /opt/watchnext
COPY model/__init__.py model/
COPY model/contract model/contract
COPY --from=builder /build/model/contract/_kernels.*.so model/contract/
COPY service service
# A number, so that an orchestrator can prove that it is not root.
USER 10001:10001
EXPOSE 8000
# Ready, not merely alive: who asks for a container's health wants to know whether to send it requests.
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['WATCHNEXT_PORT'] + '/readyz', timeout=5)"]
ENTRYPOINT ["python", "-m", "service.cli"]
