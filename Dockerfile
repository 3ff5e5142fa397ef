# Miner and panel in one image. `docker build -t minerpanel .`; see "Containers" in docs/operations.md.
FROM debian:trixie-slim AS packages
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/minerpanel
COPY bin/install bin/install
COPY requirements.txt requirements-otel.txt requirements-mcp.txt ./
# Set: with the packages that traces and assistants need
ARG OTEL_EXPORTER_OTLP_ENDPOINT=
ARG MCP_PORT=
RUN bin/install requirements.txt
COPY . .
# All that is written here: the user that runs it later writes to /data and /tmp alone
RUN .venv/bin/python -m compileall -q agents monitoring minerpanel \
 && SECRET_KEY=only-for-this-command .venv/bin/python manage.py collectstatic --no-input --verbosity 0 --skip-checks \
 && chmod -R a+rX staticfiles \
 && ln -s /tmp/supervisord.pid .venv/supervisord.pid

FROM debian:trixie-slim
# postgresql-client: backups of a Postgres database
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates postgresql-client python3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin minerpanel \
 && install --directory --owner minerpanel --group minerpanel --mode 700 /data
COPY --from=packages /opt/minerpanel /opt/minerpanel
WORKDIR /opt/minerpanel
ENV PATH=/opt/minerpanel/.venv/bin:$PATH PYTHONUNBUFFERED=1 DATA_DIR=/data SECRET_KEY_FILE=/data/secret_key BIND=0.0.0.0 PORT=8000
USER minerpanel
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=4)"]
CMD ["bin/run"]
