{{/* Settings of a service: environment variables by name, as YAML. Takes root, name, service. */}}
{{- define "freshet.service.env" -}}
{{- $config := default dict .service.config -}}
{{- $env := merge (include "freshet.kafka.env" . | fromYaml) (include "freshet.access.env" . | fromYaml) -}}
{{- if include "freshet.needsRedis" . -}}
{{- $env = merge $env (include "freshet.redis.env" . | fromYaml) -}}
{{- end -}}
{{- $_ := set $env "FRESHET_LOG_LEVEL" (dict "value" .root.Values.common.logLevel) -}}
{{- $_ := set $env "FRESHET_OPERATIONS_HOST" (dict "value" "0.0.0.0") -}}
{{- $_ := set $env "FRESHET_OPERATIONS_PORT" (dict "value" "9464") -}}
{{- $_ := set $env "FRESHET_STOP_TIMEOUT_MS" (dict "value" (mul 1000 .root.Values.common.stopSeconds | toString)) -}}
{{- range $protocol, $port := (include "freshet.ports" . | fromYaml) -}}
{{- $_ := set $env (printf "FRESHET_%s_HOST" (upper $protocol)) (dict "value" "0.0.0.0") -}}
{{- $_ := set $env (printf "FRESHET_%s_PORT" (upper $protocol)) (dict "value" (include "freshet.text" $port)) -}}
{{- end -}}
{{- $folders := dict "candidate-service" "FRESHET_SNAPSHOT_FOLDER" "trainer" "FRESHET_CHECKPOINT_FOLDER" -}}
{{- if hasKey $folders .name -}}
{{- $_ := set $env (index $folders .name) (dict "value" "/var/lib/freshet") -}}
{{- end -}}
{{- with .root.Values.tracing -}}
{{- if .endpoint -}}
{{- $_ := set $env "FRESHET_TRACING_ENDPOINT" (dict "value" .endpoint) -}}
{{- if not (kindIs "invalid" .sampleRatio) -}}
{{- $_ := set $env "FRESHET_TRACING_SAMPLE_RATIO" (dict "value" (include "freshet.text" .sampleRatio)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if hasKey . "shard" -}}
{{- $env = merge $env (include "freshet.shard.env" . | fromYaml) -}}
{{- end -}}
{{- $env = merge $env (include "freshet.memory.env" . | fromYaml) -}}
{{- if has .name (list "event-ingest" "blender") -}}
{{- with .root.Values.limits.trustedProxies -}}
{{- $_ := set $env "FRESHET_LIMITS_TRUSTED_PROXIES" (dict "value" (join "," .)) -}}
{{- end -}}
{{- end -}}
{{- if eq .name "blender" -}}
{{- range $setting, $secret := dict "CURSOR_KEY" .root.Values.pageTokens.keySecret "PREVIOUS_CURSOR_KEY" .root.Values.pageTokens.previousKeySecret -}}
{{- if $secret.name -}}
{{- $_ := set $env (printf "FRESHET_BLENDER_%s" $setting) (dict "valueFrom" (dict "secretKeyRef" (dict "name" $secret.name "key" $secret.key))) -}}
{{- end -}}
{{- end -}}
{{- range $name := list "candidate-service" "ranker" -}}
{{- $setting := printf "%s_ADDRESS" ($name | upper | replace "-" "_") -}}
{{- if not (hasKey $config $setting) -}}
{{- $_ := set $env (printf "FRESHET_%s" $setting) (dict "value" (include "freshet.address" (dict "root" $.root "name" $name))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := $config -}}
{{- $_ := set $env (printf "FRESHET_%s" $key) (dict "value" (include "freshet.text" $value)) -}}
{{- end -}}
{{- toYaml $env -}}
{{- end }}

{{/* Settings of a shard: which it is, and the addresses of the others in the order of their index. Takes root, name, service, shard. */}}
{{- define "freshet.shard.env" -}}
{{- $count := int .service.shards -}}
{{- $port := (include "freshet.ports" . | fromYaml).grpc -}}
{{- if not $port -}}
{{- fail (printf "services.%s.ports.grpc is null, but its shards call each other; set the port, or set services.%s.shards to 1" .name .name) -}}
{{- end -}}
{{- $peers := list -}}
{{- range $other := until $count -}}
{{- if ne $other (int $.shard) -}}
{{- $peers = append $peers (printf "dns:///%s:%v" (include "freshet.workload" (dict "root" $.root "name" $.name "shard" $other)) $port) -}}
{{- end -}}
{{- end -}}
{{- toYaml (dict "FRESHET_CANDIDATES_SHARD_INDEX" (dict "value" (toString .shard)) "FRESHET_CANDIDATES_SHARD_COUNT" (dict "value" (toString $count)) "FRESHET_CANDIDATES_SHARD_PEERS" (dict "value" (join "," $peers))) -}}
{{- end }}

{{/* "true" for services that keep state in Redis, and for event-ingest, whose answers report when events are not folded. Takes name. */}}
{{- define "freshet.needsRedis" -}}
{{- if has .name (list "feature-updater" "blender" "event-ingest") -}}true{{- end -}}
{{- end }}

{{/* Placement of pods. Takes root and service. */}}
{{- define "freshet.placement" -}}
{{- $common := .root.Values.common -}}
{{- $service := default dict .service -}}
{{- with merge (dict) (default dict $service.nodeSelector) $common.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat $common.tolerations (default list $service.tolerations) }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with default $common.affinity $service.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with default $common.priorityClassName $service.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $common.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
automountServiceAccountToken: false
# Otherwise each Service of the namespace puts variables into every container.
enableServiceLinks: false
securityContext: {{- toYaml $common.podSecurityContext | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Security context of every container. */}}
{{- define "freshet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The pods of a service. Takes root, name, service. */}}
{{- define "freshet.pod" -}}
{{- $config := default dict .service.config -}}
{{- $common := .root.Values.common -}}
{{- $ports := include "freshet.ports" . | fromYaml -}}
{{- $preStop := ternary (int $common.preStopSeconds) 0 (gt (len $ports) 0) -}}
{{- $stop := include "freshet.stopSeconds" . | int -}}
{{- $hasFolder := has .name (list "candidate-service" "trainer") -}}
{{- $needsRedis := eq (include "freshet.needsRedis" .) "true" -}}
{{- $secrets := include "freshet.secrets" (dict "root" .root "name" .name "redis" $needsRedis "serves" true) | fromYaml -}}
{{- $operations := include "freshet.text" (default 9464 (index $config "OPERATIONS_PORT")) -}}
{{- $scheme := ternary ", scheme: HTTPS" "" .root.Values.tls.operations -}}
{{- $own := dict "prometheus.io/scrape" "true" "prometheus.io/port" $operations -}}
{{- if .root.Values.tls.operations -}}
{{- $_ := set $own "prometheus.io/scheme" "https" -}}
{{- end -}}
{{- with $common.secretsRevision -}}
{{- $_ := set $own "freshet.dev/secrets-revision" . -}}
{{- end -}}
metadata:
  labels: {{- include "freshet.labels" (merge (dict "root" .root "name" .name "more" (list .service.podLabels $common.podLabels)) (pick . "shard")) | nindent 4 }}
  annotations: {{- toYaml (merge (dict) (default dict .service.podAnnotations) $common.podAnnotations $own) | nindent 4 }}
spec:
  terminationGracePeriodSeconds: {{ add $preStop $stop 5 }}
  {{- include "freshet.placement" . | nindent 2 }}
  {{- with $common.topologySpread }}
  topologySpreadConstraints:
    {{- range . }}
    - maxSkew: 1
      topologyKey: {{ .key }}
      whenUnsatisfiable: {{ ternary "DoNotSchedule" "ScheduleAnyway" .required }}
      labelSelector:
        matchLabels: {{- include "freshet.selector" $ | nindent 10 }}
      {{- if ne (include "freshet.isStateful" $) "true" }}
      # Pods of the version that an upgrade replaces do not count.
      matchLabelKeys: [pod-template-hash]
      {{- end }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ .name }}
      image: {{ include "freshet.image" (dict "root" .root "name" .name "image" .service.image) | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      securityContext: {{- include "freshet.containerSecurity" . | nindent 8 }}
      env: {{- include "freshet.env.list" (dict "env" (include "freshet.service.env" . | fromYaml) "more" (concat $common.env (default list .service.env))) | nindent 8 }}
      ports:
        - name: operations
          containerPort: {{ $operations }}
        {{- range $protocol, $port := $ports }}
        - name: {{ $protocol }}
          containerPort: {{ include "freshet.text" (default $port (index $config (printf "%s_PORT" (upper $protocol)))) }}
        {{- end }}
      {{- if gt $preStop 0 }}
      lifecycle:
        preStop:
          exec:
            {{- /* The images have no program but node. */}}
            command: [node, -e, {{ printf "setTimeout(() => {}, %d)" (mul 1000 $preStop) | quote }}]
      {{- end }}
      startupProbe:
        httpGet: { path: /livez, port: operations{{ $scheme }} }
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: { path: /livez, port: operations{{ $scheme }} }
        periodSeconds: 10
        timeoutSeconds: 5
      readinessProbe:
        httpGet: { path: /readyz, port: operations{{ $scheme }} }
        periodSeconds: 5
        timeoutSeconds: 3
      {{- with .service.resources }}
      resources: {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - name: scratch
          mountPath: /tmp
        {{- if $hasFolder }}
        - name: data
          mountPath: /var/lib/freshet
        {{- end }}
        {{- include "freshet.secretMounts" (dict "secrets" $secrets) | nindent 8 }}
        {{- with concat $common.volumeMounts (default list .service.volumeMounts) }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: scratch
      emptyDir: {}
    {{- if and $hasFolder (not (dig "persistence" "enabled" false .service)) }}
    - name: data
      emptyDir: {}
    {{- end }}
    {{- include "freshet.secretVolumes" (dict "secrets" $secrets) | nindent 4 }}
    {{- with concat $common.volumes (default list .service.volumes) }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* Mounts of the connections' secrets. Takes secrets. */}}
{{- define "freshet.secretMounts" -}}
{{- range $volume, $secret := .secrets }}
- name: {{ $volume }}
  mountPath: /etc/freshet/{{ $volume }}
  readOnly: true
{{- end }}
{{- end }}

{{/* Volumes of the connections' secrets. Takes secrets. */}}
{{- define "freshet.secretVolumes" -}}
{{- range $volume, $secret := .secrets }}
- name: {{ $volume }}
  secret:
    secretName: {{ $secret.name }}
    items:
      {{- range uniq $secret.keys }}
      - { key: {{ . | quote }}, path: {{ . | quote }} }
      {{- end }}
{{- end }}
{{- end }}
