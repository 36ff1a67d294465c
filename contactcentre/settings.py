"""All settings, in one file, read from the environment through typed getters (contactcentre/lib/env.py).

Needed everywhere: DATABASE_URL, REDIS_URL, SECRET_KEY, CONTACTCENTRE_ENCRYPTION_KEYS, BASE_URL.
`make run` sets all of them; docs/production.md lists them for a server.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from celery.schedules import schedule
from django.utils.translation import gettext_lazy as _

from contactcentre.lib import env

ROOT = Path(__file__).resolve().parent.parent

# ---------------------------------------------------------------- where and in what mode

# Practice mode: stand-in networks on loopback and demonstration users. Never set it on a server.
PRACTICE = env.flag("PRACTICE")
DEBUG = env.flag("DEBUG")
SECRET_KEY = env.text("SECRET_KEY")
BASE_URL = env.origin("BASE_URL", "http://127.0.0.1:8000")
_base = urlsplit(BASE_URL)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", f"{_base.hostname},127.0.0.1,localhost")
CSRF_TRUSTED_ORIGINS = [BASE_URL]
VAR = Path(env.text("CONTACTCENTRE_VAR", str(ROOT / "var")))

# Credentials at rest: Fernet keys, the first encrypts, all decrypt (`manage.py rotate_credentials`).
ENCRYPTION_KEYS = env.words("CONTACTCENTRE_ENCRYPTION_KEYS")

# ---------------------------------------------------------------- the networks' origins
# From the environment only, never from a row or a form: whoever can edit a row must not be able to
# send our tokens elsewhere.
X_ORIGIN = env.origin("X_ORIGIN", "https://api.twitter.com")
# Where people consent. Empty: at X's own page, or at the origin above where that is another than X's.
X_AUTHORIZE_ORIGIN = env.text("X_AUTHORIZE_ORIGIN", "")
if X_AUTHORIZE_ORIGIN:
    X_AUTHORIZE_ORIGIN = env.origin("X_AUTHORIZE_ORIGIN", "")
FACEBOOK_GRAPH_ORIGIN = env.origin("FACEBOOK_GRAPH_ORIGIN", "https://graph.facebook.com")
# Where people consent and choose their Pages.
FACEBOOK_DIALOG_ORIGIN = env.origin("FACEBOOK_DIALOG_ORIGIN", "https://www.facebook.com")
# Practice only: where the pictures and files lie that Facebook hands over as links. Empty: where the links say.
FACEBOOK_MEDIA_ORIGIN = env.text("FACEBOOK_MEDIA_ORIGIN", "")
if FACEBOOK_MEDIA_ORIGIN:
    FACEBOOK_MEDIA_ORIGIN = env.origin("FACEBOOK_MEDIA_ORIGIN", "")
FACEBOOK_GRAPH_VERSION = env.text("FACEBOOK_GRAPH_VERSION", "v25.0")

# ---------------------------------------------------------------- the application

INSTALLED_APPS = [
    "contactcentre.apps.ContactCentreConfig",
    "agents",
    "channels",
    "customers",
    "tickets",
    "rest_framework",
    "drf_spectacular",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "contactcentre.lib.headers.ContentSecurityPolicy",
    "channels.middleware.Hooks",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "contactcentre.lib.forms.FormsInUtf8",
    "django.middleware.csrf.CsrfViewMiddleware",
    "contactcentre.lib.nul.WithoutNul",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "agents.middleware.SignedIn",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "contactcentre.urls"
WSGI_APPLICATION = "contactcentre.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["contactcentre.templatetags.look", "contactcentre.templatetags.still"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# Threads live as long as the process, so a connection each is kept; the health check replaces one that
# PostgreSQL dropped. No server-side cursors: PgBouncer in transaction mode may stand between.
DATABASES = {
    "default": {
        **env.database("DATABASE_URL"),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {"connect_timeout": 5},
    }
}
# PostgreSQL plans the statements of pages and intake once a connection (contactcentre/lib/plans.py).
PREPARED_STATEMENTS = env.flag("PREPARED_STATEMENTS", True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "contactcentre.lib.kept_cache.Cache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cc",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}

# ---------------------------------------------------------------- people

AUTH_USER_MODEL = "agents.Person"
# The second only for sessions that began when it was the only one: a session holds its backend's name.
AUTHENTICATION_BACKENDS = ["agents.backend.People", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "agents:sign-in"
LOGIN_REDIRECT_URL = "/"
# In the database alone: with the cache before it, no page would open while Valkey is away.
SESSION_ENGINE = "contactcentre.lib.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_NAME = "contactcentre_session"
CSRF_COOKIE_NAME = "contactcentre_csrf"
CSRF_FAILURE_VIEW = "agents.views.not_from_here"

# ---------------------------------------------------------------- security

_https = _base.scheme == "https"
SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
SECURE_SSL_REDIRECT = _https and env.flag("SSL_REDIRECT", True)
# Health checks come from inside, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
SECURE_HSTS_SECONDS = 31536000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY") else None
SECURE_REFERRER_POLICY = "same-origin"
# One view of ours is framed by us, the HTML of a mail, and says so itself.
X_FRAME_OPTIONS = "DENY"

# ---------------------------------------------------------------- the API (tickets/api/)

REST_FRAMEWORK = {
    # JSON in, JSON out: one form each is one form to keep safe.
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "tickets.api.problems.handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Contact centre",
    "DESCRIPTION": "One ticket per customer over X, Facebook, email and the telephone.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": False,
    "PATH_CONVERTER_OVERRIDES": {"id": int},
    # The choices stand in the type already; a list of them in Markdown would stand in the readable page as it is.
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# ---------------------------------------------------------------- words and times

LANGUAGE_CODE = env.text("LANGUAGE_CODE", "en-gb")
# Only what there is a catalogue for: a language without one would mix its own dates and errors into English words.
# docs/adding-a-language.md says how to add one.
LANGUAGES = [("en-gb", _("English"))]
LOCALE_PATHS = [ROOT / "locale"]
TIME_ZONE = env.text("TIME_ZONE", "Europe/London")
# What the house is called on its pages.
BRAND = env.text("BRAND", "Acme Care")
USE_TZ = True
USE_I18N = True

# ---------------------------------------------------------------- files

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(VAR / "static")))
STATICFILES_DIRS = [ROOT / "static"]
if PRACTICE or DEBUG:
    # Nothing is collected then, and WhiteNoise warns of a folder that is not there.
    STATIC_ROOT = ROOT / "static"
    STATICFILES_DIRS = []
# In practice and tests the files are served from where they lie, so that no collecting step is needed.
WHITENOISE_USE_FINDERS = PRACTICE or DEBUG
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": env.text("ATTACHMENTS", str(VAR / "attachments"))},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if PRACTICE or DEBUG
        else "contactcentre.lib.static.HashedFiles",
    },
}
ATTACHMENT_MAX_BYTES = env.number("ATTACHMENT_MAX_BYTES", 25 * 1024 * 1024)
MAIL_MAX_BYTES = env.number("MAIL_MAX_BYTES", 40 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
# An attachment beyond this goes to a temporary file instead of memory while it is uploaded.
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# ---------------------------------------------------------------- the web process (asgi.py)

# Who may be told what on the live stream: (person id) → their queues, or None.
LIVE_TOPICS = "tickets.access.topics"
WEB_THREADS = env.number("WEB_THREADS", 8)
LIVE_STREAMS = env.number("LIVE_STREAMS", 2000)
WEB_MAX_BODY_BYTES = env.number("WEB_MAX_BODY_BYTES", 128 * 1024 * 1024)
# Facebook puts up to a thousand changes of many Pages into one post, with every letter beyond ASCII in six bytes.
HOOK_MAX_BYTES = env.number("HOOK_MAX_BYTES", 8 * 1024 * 1024)

# ---------------------------------------------------------------- work in the background

# Who takes what comes in. A dotted path, so that channels/ need not know tickets/.
CHANNELS_RECEIVER = "tickets.receiver.Receiver"

# What a mailbox's account waits between polls, in seconds.
POLL_SECONDS = {
    "email": env.number("MAIL_POLL_SECONDS", 5 if PRACTICE else 60),
    # X allows 300 looks at the mentions in a quarter of an hour.
    "x": env.number("X_POLL_SECONDS", 5 if PRACTICE else 60),
    # Facebook tells of what happens at once, by webhook; the poll finds what it did not tell.
    "facebook": env.number("FACEBOOK_POLL_SECONDS", 10 if PRACTICE else 60),
}

# How long one page of a poll may take before the account is given to another worker: longer than any adapter's own
# limit for one. After a kill an account waits at most this long.
POLL_LEASE_SECONDS = env.number("POLL_LEASE_SECONDS", 90)

# How long a reply from the page is held back, so that it can be undone.
UNDO_SECONDS = env.number("UNDO_SECONDS", 10)

# How long one delivery may take before somebody else looks what became of it: longer than the adapters' own limits.
DELIVERY_LEASE_SECONDS = env.number("DELIVERY_LEASE_SECONDS", 150)

# When a reply of unknown fate is looked for at its network, in seconds since it became unknown, and how many times. The
# networks index late, so one early look proves nothing.
LOOK_SECONDS = env.numbers("LOOK_SECONDS", [5, 15, 40, 80])
# How long a reply that did not leave waits for its second attempt; doubled with each further one.
RETRY_SECONDS = env.number("RETRY_SECONDS", 5)
# How long an X account's direct messages rest between two looks: X allows 15 in a quarter of an hour.
X_MESSAGES_SECONDS = env.number("X_MESSAGES_SECONDS", 60)
# How long nothing is asked of X once its credits are used up: somebody has to buy some first.
X_NO_CREDITS_SECONDS = env.number("X_NO_CREDITS_SECONDS", 900)

# How long fetching one file may take that a network handed over as a link, and the waits between the attempts.
FETCH_SECONDS = env.number("FETCH_SECONDS", 20)
FETCH_AGAIN_SECONDS = env.numbers("FETCH_AGAIN_SECONDS", [10, 60, 300, 1800])

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
# Never: Celery would close the database's connection before and after each task, and connecting costs more than most
# tasks do. contactcentre/celery.py closes it as Django does after a page: once it is old, or broken.
CELERY_DB_REUSE_MAX = 2**62
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600, "socket_timeout": 10, "socket_connect_timeout": 5}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "intake"
# Polling, intake and delivery have workers of their own, so that one cannot starve another.
CELERY_TASK_ROUTES = {
    "channels.tasks.poll*": {"queue": "poll"},
    "tickets.tasks.reread": {"queue": "poll"},
    # It waits for other people's servers, as polling does; a slow one must not hold up intake.
    "tickets.tasks.fetch*": {"queue": "poll"},
    "tickets.tasks.ask_names": {"queue": "poll"},
    "channels.tasks.deliver*": {"queue": "delivery"},
    "channels.tasks.look*": {"queue": "delivery"},
}
# A hint (after commit) starts most work at once; these sweeps are what makes it certain. Each entry
# expires before the next, so that a stopped worker does not wake to a pile of identical ticks.
CELERY_BEAT_SCHEDULE = {
    "poll due accounts": {"task": "channels.tasks.poll_due", "schedule": schedule(1.0), "options": {"expires": 2}},
    "process waiting items": {"task": "channels.tasks.process", "schedule": schedule(10.0), "options": {"expires": 9}},
    "deliver due rows": {"task": "channels.tasks.deliver_due", "schedule": schedule(1.0), "options": {"expires": 2}},
    "fold the books": {"task": "channels.tasks.fold", "schedule": schedule(60.0), "options": {"expires": 59}},
    "clear unfinished files": {
        "task": "channels.tasks.clear_unfinished_files",
        "schedule": schedule(3600.0),
        "options": {"expires": 3599},
    },
    "look at posts again": {
        "task": "tickets.tasks.reread",
        "schedule": schedule(float(env.number("REREAD_SECONDS", 900))),
        "options": {"expires": 600},
    },
    "fetch waiting files": {"task": "tickets.tasks.fetch_due", "schedule": schedule(5.0), "options": {"expires": 4}},
    "ask for names": {"task": "tickets.tasks.ask_names", "schedule": schedule(10.0), "options": {"expires": 9}},
    "tidy tickets": {"task": "tickets.tasks.tidy", "schedule": schedule(15.0), "options": {"expires": 14}},
}

PRACTICE_URL = env.text("PRACTICE_URL", "") if PRACTICE else ""
if PRACTICE_URL:
    CELERY_BEAT_SCHEDULE["tell the practice exchange"] = {
        "task": "tickets.tasks.tell_exchange",
        "schedule": schedule(5.0),
        "options": {"expires": 4},
    }

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"secrets": {"()": "contactcentre.lib.secrets.HideSecrets"}},
    "formatters": {"plain": {"format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["secrets"], "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "imapclient": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        # The server's own list of requests writes addresses as they are, and some are secrets. It has a handler of its
        # own, which no filter of ours is on; this takes it away, whatever the command says.
        "uvicorn.access": {"handlers": [], "propagate": False},
    },
}
