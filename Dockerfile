# The service without tests. It needs an external Postgres: set AUTOLYNX_DATABASE_URL.
FROM python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285 AS build
WORKDIR /build
COPY requirements.runtime.lock ./
RUN python -m venv /opt/autolynx \
    && /opt/autolynx/bin/pip install --no-cache-dir --disable-pip-version-check \
       --require-hashes --no-deps -r requirements.runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY application application
COPY domain domain
COPY interfaces interfaces
COPY projections projections
COPY provider provider
COPY scheduler scheduler
COPY storage storage
RUN /opt/autolynx/bin/pip install --no-cache-dir --disable-pip-version-check \
       --no-deps . \
    && /opt/autolynx/bin/autolynx --help >/dev/null

FROM python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin autolynx
COPY --from=build /opt/autolynx /opt/autolynx
ENV PATH=/opt/autolynx/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AUTOLYNX_HOST=0.0.0.0 \
    AUTOLYNX_LOG_FORMAT=json
WORKDIR /tmp
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["autolynx"]
CMD ["api"]
