# The app with its gateway on port 3000: docker compose -f deploy/docker/compose.yaml up --build
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY realtime/package.json realtime/
COPY emulators/package.json emulators/
RUN npm ci --no-audit --no-fund
COPY . .
# What the compiler keeps for the next build is no part of it.
RUN npm run build && rm -rf .next/cache

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production DATA_DIR=/var/lib/throughline NODE_COMPILE_CACHE=/var/cache/throughline
COPY package.json package-lock.json ./
COPY realtime/package.json realtime/
COPY emulators/package.json emulators/
# The image has its Node.js: that of the packages is for machines with an older one.
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force \
  && rm -r node_modules/node node_modules/.bin/node \
  && install --directory --owner=node --group=node /var/lib/throughline /var/cache/throughline
COPY next.config.ts proxy.ts tsconfig.json ./
COPY app app
COPY lib lib
COPY realtime realtime
COPY server server
COPY --from=build /app/.next .next
USER node
VOLUME /var/lib/throughline
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3000/api/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--import", "./server/check-node.js", "server/main.ts"]
