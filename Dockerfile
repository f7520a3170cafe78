# The product in an image: `docker build --tag velvetrope .`
# The base is pinned by its tag. Whoever wants the same bytes for ever pins its digest as well:
# docker buildx imagetools inspect python:3.11-slim-bookworm
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv --without-pip /opt/velvetrope
# What changes seldom comes first, so that a change of the product installs the product only.
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m pip install --quiet --require-hashes --only-binary :all: -r requirements/build.txt \
    && python -m pip --python /opt/velvetrope/bin/python install --quiet --require-hashes \
        --only-binary :all: -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . \
    && python -m pip --python /opt/velvetrope/bin/python install --quiet --no-deps --no-index \
        dist/velvetrope-*.whl

FROM ${BASE}
# The number is said, so that a volume's owner is the same on every machine.
RUN groupadd --system --gid 10001 velvetrope \
    && useradd --system --uid 10001 --gid velvetrope --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin velvetrope \
    && install --directory --owner=velvetrope --group=velvetrope --mode=0700 /srv/velvetrope/data
COPY --from=build /opt/velvetrope /opt/velvetrope
# Everything was compiled when it was installed; the root file system may be read-only.
ENV PATH=/opt/velvetrope/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv/velvetrope
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, timeout=4); c.request('GET', '/up'); exit(c.getresponse().status != 200)"]
ENTRYPOINT ["velvetrope"]
CMD ["serve", "--host", "0.0.0.0"]
