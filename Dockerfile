# The server alone, run by a numeric user that is not root.
#
# A public URL must be given: the listeners below are not loopback, and without JETON__PUBLIC_URL the server refuses to
# start, because clients would be told an issuer that they cannot reach.
#
#   docker build --tag jeton .
#   docker run --publish 8080:8080 --volume jeton:/data --env JETON__PUBLIC_URL=https://auth.example.org jeton
#
# Port 9090 is the management listener: health and metrics, for the inside of the cluster only.

FROM rust:1.95-slim-bookworm AS builder
WORKDIR /build
COPY . .
# The caches keep the registry and the compiled dependencies between builds, so that a change of the sources compiles the
# sources only. A cache is not part of the layer: the binary is copied out of it in the same step. Cargo compares times,
# and a file of an older commit may be older than the cached build of a newer one: `touch` has the workspace compiled.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/build/target,sharing=locked \
    touch src/lib.rs src/main.rs guard/src/lib.rs \
    && cargo build --release --locked --bin jeton \
    && install -D --mode 0755 target/release/jeton /out/jeton

FROM debian:bookworm-slim
# The roots of trust for outgoing TLS; the binary itself needs glibc only, and its libgcc.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner 65532 --group 65532 --mode 0700 /data
COPY --from=builder /out/jeton /usr/local/bin/jeton

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Jeton" \
      org.opencontainers.image.description="An OAuth 2.0 token service: issues, validates and revokes bearer tokens" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

ENV JETON__DATA_DIR=/data \
    JETON__HTTP__LISTEN=0.0.0.0:8080 \
    JETON__MANAGEMENT__LISTEN=0.0.0.0:9090
EXPOSE 8080 9090
VOLUME /data
USER 65532:65532
STOPSIGNAL SIGTERM
# Asks /health/ready of the management listener.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["/usr/local/bin/jeton", "health"]
ENTRYPOINT ["/usr/local/bin/jeton"]
CMD ["serve"]
