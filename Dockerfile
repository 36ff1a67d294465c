# The program for a server: web, workers and beat are this one image with different commands (docker-compose.yml).
# It holds no secret and no configuration: all of it comes from the environment (docs/production.md).

FROM python:3.11-slim-bookworm AS packages
WORKDIR /app
COPY requirements-production.lock .
RUN python -m venv /app/.venv \
 && /app/.venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r requirements-production.lock

FROM python:3.11-slim-bookworm
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CONTACTCENTRE_VAR=/data \
    STATIC_ROOT=/app/collected
RUN groupadd --gid 10001 contactcentre \
 && useradd --uid 10001 --gid contactcentre --home-dir /data --no-create-home --shell /usr/sbin/nologin contactcentre \
 && install -d -o contactcentre -g contactcentre /data /data/attachments
WORKDIR /app
COPY --from=packages /app/.venv /app/.venv
COPY manage.py ./
COPY contactcentre contactcentre
COPY agents agents
COPY channels channels
COPY customers customers
COPY tickets tickets
COPY templates templates
COPY static static
# Collecting asks nobody anything; the values are there because the settings refuse to be read without them.
RUN DATABASE_URL=postgres://nobody@localhost/none REDIS_URL=redis://localhost/0 SECRET_KEY=collecting \
    CONTACTCENTRE_ENCRYPTION_KEYS=none python manage.py collectstatic --noinput --verbosity 0
USER contactcentre
VOLUME /data
EXPOSE 8000
CMD ["uvicorn", "contactcentre.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--timeout-graceful-shutdown", "3"]
