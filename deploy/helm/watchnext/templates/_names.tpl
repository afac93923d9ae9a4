{{/* Names, labels, and what more than one object says. */}}
{{- define "watchnext.name" -}}
{{ ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "watchnext.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "watchnext.labels" -}}
{{ include "watchnext.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "watchnext.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary (include "watchnext.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "watchnext.registryClaim" -}}
{{ .Values.registry.claim.existing | default (printf "%s-registry" (include "watchnext.name" .)) }}
{{- end }}

{{- define "watchnext.image" -}}
{{ .image.repository }}:{{ .image.tag | default .chart.AppVersion }}
{{- end }}

{{/* Nobody in particular, who may change nothing. */}}
{{- define "watchnext.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "watchnext.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "watchnext.scheme" -}}
{{ ternary "HTTPS" "HTTP" (ne .Values.tls.secret "") }}
{{- end }}
