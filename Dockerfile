# A parlor in a container: docs/installing.md says how to run it. Nothing but the program and its folder is in the image.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
COPY --from=build /src/target/release/parlor /usr/local/bin/parlor
# A user of its own, and a folder for its rooms that nobody else reads; a volume takes over whose it is.
RUN useradd --uid 7878 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin parlor \
    && install --directory --mode=700 --owner=parlor --group=parlor /data
USER parlor
# Said here too, so that it holds for a container that is run as somebody else.
ENV HOME=/data
VOLUME /data
EXPOSE 7878
HEALTHCHECK CMD ["parlor", "status", "--data", "/data"]
ENTRYPOINT ["parlor"]
CMD ["serve", "--listen", "0.0.0.0:7878", "--data", "/data"]
