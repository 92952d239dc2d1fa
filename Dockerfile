# The static binary and the engine library it loads. Nothing of Node.js or Go is left in the image.
FROM node:24-slim AS parts
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=parts /src/node_modules/echarts/dist/echarts.min.js dashboards/static/echarts.min.js
ARG VERSION=container
RUN CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /steward ./cmd/steward

# The engine library needs glibc, so the base cannot be scratch or Alpine.
FROM debian:13-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home steward \
    && install -d -o steward /data
COPY --from=parts /src/node_modules/@chdb/ /tmp/chdb/
RUN install -m 0644 /tmp/chdb/lib-linux-*/libchdb.so /usr/local/lib/libchdb.so && rm -rf /tmp/chdb
COPY --from=build /steward /usr/local/bin/steward
COPY LICENSE /usr/share/doc/steward/LICENSE
USER steward
WORKDIR /data
ENV STEWARD_DATA=/data
VOLUME /data
# Beyond loopback it listens only with --access or --tokens-only: add one of them, or run the container with the host's network.
ENTRYPOINT ["steward"]
CMD ["serve"]
