{{- define "jeton.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- if ne .Release.Name .Chart.Name -}}-{{ .Chart.Name }}{{- end -}}
{{- end }}

{{- define "jeton.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "jeton.labels" -}}
{{ include "jeton.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
