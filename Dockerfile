# syntax=docker/dockerfile:1

# --- build: the dependencies in a layer of their own, then the service ------------------------------------
FROM rust:1.95-bookworm AS build
WORKDIR /build

# As long as manifest and lock stay the same this layer does, and a change of the source rebuilds the service only:
# the dependencies are compiled for a program and a library with nothing in them.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && cargo build --release --locked --bin aws-ilm \
    && rm -r src

COPY src ./src
# The examples of the OpenAPI document are compiled in.
COPY openapi ./openapi
# Cargo goes by modification times, and a checkout may be older than the empty program above.
RUN find src -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --bin aws-ilm \
    && mkdir store

# --- runtime: no shell, no package manager, no root; glibc and the CA certificates are in the base ----------
FROM gcr.io/distroless/cc-debian12:nonroot

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="aws-ilm" \
      org.opencontainers.image.description="The IAM user lifecycle commands for AWS IAM Identity Center, as an HTTP service over SCIM 2.0" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"

COPY --from=build /build/target/release/aws-ilm /usr/local/bin/aws-ilm
COPY LICENSE /usr/share/doc/aws-ilm/LICENSE
# Where a volume for the store belongs (AWS_ILM_STORE_PATH=/var/lib/aws-ilm/store.db): a new one takes over its owner.
COPY --from=build --chown=65532:65532 --chmod=0700 /build/store /var/lib/aws-ilm

# The loopback of a container reaches nobody. Beyond it the service starts only when callers are named
# (AWS_ILM_CALLERS_FILE), or when it is told that something in front guards it (AWS_ILM_ALLOW_UNAUTHENTICATED=true): neither
# is for an image to say.
ENV AWS_ILM_LISTEN=0.0.0.0:8080 \
    AWS_ILM_LOG_FORMAT=json
EXPOSE 8080

# The base's own unprivileged user, by number so that an orchestrator can see that it is not root.
USER 65532:65532

HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/aws-ilm", "healthcheck"]

ENTRYPOINT ["/usr/local/bin/aws-ilm"]
CMD ["serve"]
