{{/* Rejects values that contradict each other, and names them. */}}
{{- define "freshet.checks" -}}
{{- include "freshet.checks.removed" . -}}
{{- include "freshet.checks.development" . -}}
{{- include "freshet.checks.strimzi" . -}}
{{- include "freshet.checks.routes" . -}}
{{- $access := .Values.access -}}
{{- if not (or $access.existingSecret $access.open) -}}
{{- fail "access.existingSecret is not set. Make the keys with `npx freshet keys create internal` and `npx freshet keys create admin`, put keys.json and the internal key into a secret with `kubectl create secret generic freshet-keys --from-file=keys.json --from-file=internal-key`, and name it; or set access.open=true to let everybody who reaches a port make every call" -}}
{{- end -}}
{{- if and $access.existingSecret $access.open -}}
{{- fail "access.open is true although access.existingSecret is set; services with keys are closed: set only one of them" -}}
{{- end -}}
{{- if and $access.open (or $access.jwt.secretKey $access.jwt.jwksKey $access.jwt.jwksUrl) -}}
{{- fail "access.open is true although access.jwt is set; set only one of them" -}}
{{- end -}}
{{- if and $access.jwt.jwksUrl (not $access.jwt.audience) -}}
{{- fail "access.jwt.jwksUrl is set without access.jwt.audience, so tokens that its keys sign for other applications would be accepted; set access.jwt.audience to the audience (aud) of your tokens" -}}
{{- end -}}
{{- $tls := .Values.tls -}}
{{- if and $tls.clientCaSecret.name (not $tls.serverSecret.name) -}}
{{- fail "tls.clientCaSecret.name is set without tls.serverSecret.name" -}}
{{- end -}}
{{- if ne (empty $tls.serverSecret.name) (empty $tls.caSecret.name) -}}
{{- fail "tls.serverSecret.name and tls.caSecret.name go together: the services call each other" -}}
{{- end -}}
{{- if and $tls.operations (not $tls.serverSecret.name) -}}
{{- fail "tls.operations is true without tls.serverSecret.name" -}}
{{- end -}}
{{- range $name, $service := .Values.services -}}
{{- if hasKey (default dict (default dict $service).config) "TLS_OPERATIONS" -}}
{{- fail (printf "services.%s.config.TLS_OPERATIONS is set, which the probes do not see; set tls.operations" $name) -}}
{{- end -}}
{{- end -}}
{{- $kafka := .Values.kafka -}}
{{- $redis := .Values.redis -}}
{{- if and (not $kafka.tls.enabled) (or $kafka.tls.caSecret.name $kafka.tls.clientSecret.name $kafka.tls.serverName) -}}
{{- fail "kafka.tls.enabled is false although other values of kafka.tls are set; set it to true" -}}
{{- end -}}
{{- if eq $kafka.sasl.mechanism "none" -}}
{{- if or $kafka.sasl.username $kafka.sasl.passwordSecret.name -}}
{{- fail "kafka.sasl.mechanism is none although other values of kafka.sasl are set; name the mechanism" -}}
{{- end -}}
{{- else -}}
{{- if not $kafka.sasl.username -}}
{{- fail (printf "kafka.sasl.username is not set; %s needs one" $kafka.sasl.mechanism) -}}
{{- end -}}
{{- if not $kafka.sasl.passwordSecret.name -}}
{{- fail (printf "kafka.sasl.passwordSecret.name is not set; %s needs an existing secret" $kafka.sasl.mechanism) -}}
{{- end -}}
{{- end -}}
{{- $addresses := concat (ternary (list $redis.url) list (ne $redis.url "")) $redis.clusterNodes -}}
{{- if gt (add (ternary 1 0 (ne $redis.url "")) (ternary 1 0 (gt (len $redis.clusterNodes) 0)) (ternary 1 0 (ne $redis.urlSecret.name ""))) 1 -}}
{{- fail "redis.url, redis.clusterNodes and redis.urlSecret exclude each other; set one of them" -}}
{{- end -}}
{{- range $address := $addresses -}}
{{- if regexMatch "://[^/]*@" $address -}}
{{- fail "an address of redis contains a login, which would be visible in the pods' specifications; use redis.username with redis.passwordSecret, or redis.urlSecret" -}}
{{- end -}}
{{- if and (hasPrefix "redis://" $address) (or $redis.tls.caSecret.name $redis.tls.clientSecret.name $redis.tls.serverName) -}}
{{- fail (printf "redis.tls is set although %s begins with redis://; TLS needs rediss://" $address) -}}
{{- end -}}
{{- end -}}
{{- if and $redis.username (not $redis.passwordSecret.name) -}}
{{- fail "redis.username is set without redis.passwordSecret.name" -}}
{{- end -}}
{{- $enabled := include "freshet.enabled" . | fromYaml -}}
{{- range $name, $service := $enabled -}}
{{- include "freshet.checks.env" (dict "at" (printf "services.%s.env" $name) "env" (default list $service.env)) -}}
{{- $type := dig "service" "type" "ClusterIP" $service -}}
{{- if and (dig "service" "headless" false $service) (ne $type "ClusterIP") -}}
{{- fail (printf "services.%s.service.type is %s, which a headless Service cannot have; set services.%s.service.headless to false" $name $type $name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $service := $enabled -}}
{{- include "freshet.checks.memory" (dict "name" $name "service" $service) -}}
{{- include "freshet.checks.scaling" (dict "root" $ "name" $name "service" $service) -}}
{{- include "freshet.checks.stop" (dict "root" $ "name" $name "service" $service) -}}
{{- end -}}
{{- include "freshet.checks.env" (dict "at" "common.env" "env" .Values.common.env) -}}
{{- end }}

{{/* Rejects secrets in plain text, and what the chart must know. Takes at and env. */}}
{{- define "freshet.checks.env" -}}
{{- range .env -}}
{{- if or (eq .name "FRESHET_STOP_TIMEOUT_MS") (regexMatch "^FRESHET_(HTTP|GRPC|ADMIN|OPERATIONS)_PORT$" .name) -}}
{{- fail (printf "%s gives %s, which the chart reads for the grace period and the ports; set services.NAME.config.%s instead" $.at .name (trimPrefix "FRESHET_" .name)) -}}
{{- end -}}
{{- if hasKey . "value" -}}
{{- if or (regexMatch "PASSWORD$|SECRET$|TOKEN$|KEY$" .name) (regexMatch "://[^/]*:[^/]*@" (toString .value)) -}}
{{- fail (printf "%s gives %s as plain text; give valueFrom.secretKeyRef" $.at .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The address of a service for the blender. Takes root and name. Fails if the service has none. */}}
{{- define "freshet.address" -}}
{{- $service := index (include "freshet.enabled" .root | fromYaml) .name -}}
{{- $setting := printf "services.blender.config.%s_ADDRESS" (.name | upper | replace "-" "_") -}}
{{- if not $service -}}
{{- fail (printf "services.%s is disabled, but blender calls it: set %s, or disable blender" .name $setting) -}}
{{- end -}}
{{- $port := index (include "freshet.ports" (dict "service" $service) | fromYaml) "grpc" -}}
{{- if not $port -}}
{{- fail (printf "services.%s.ports.grpc is null, but blender calls it: set the port, or set %s" .name $setting) -}}
{{- end -}}
dns:///{{ include "freshet.fullname" . }}:{{ $port }}
{{- end }}
