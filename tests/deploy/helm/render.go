// Renders a chart as `helm template` does, with Go's templates, sprig and Helm's own functions, as far as the chart uses
// them, and prints the values and the objects as JSON. Usage: render CHART RELEASE VALUES.yaml...
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/ghodss/yaml"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(path string) map[string]interface{} {
	text, err := os.ReadFile(path)
	fail(err)
	value := map[string]interface{}{}
	fail(yaml.UnmarshalStrict(text, &value))
	return value
}

// What is set over what the chart has, map by map.
func merge(into, from map[string]interface{}) {
	for key, value := range from {
		under, both := into[key].(map[string]interface{})
		over, maps := value.(map[string]interface{})
		if both && maps {
			merge(under, over)
		} else {
			into[key] = value
		}
	}
}

func main() {
	chart, release := os.Args[1], os.Args[2]
	values := read(filepath.Join(chart, "values.yaml"))
	for _, path := range os.Args[3:] {
		merge(values, read(path))
	}
	meta := read(filepath.Join(chart, "Chart.yaml"))
	data := map[string]interface{}{
		"Values":  values,
		"Release": map[string]interface{}{"Name": release, "Namespace": "default", "Service": "Helm"},
		"Chart": map[string]interface{}{
			"Name": meta["name"], "Version": meta["version"], "AppVersion": meta["appVersion"],
		},
	}

	all := template.New("chart").Option("missingkey=error")
	functions := sprig.TxtFuncMap()
	delete(functions, "env")
	delete(functions, "expandenv")
	functions["include"] = func(name string, data interface{}) (string, error) {
		var out strings.Builder
		err := all.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	functions["toYaml"] = func(value interface{}) (string, error) {
		out, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(out), "\n"), err
	}
	all.Funcs(functions)
	files, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	fail(err)
	sort.Strings(files)
	for _, path := range files {
		text, err := os.ReadFile(path)
		fail(err)
		_, err = all.New(filepath.Base(path)).Parse(string(text))
		fail(err)
	}

	objects := []interface{}{}
	for _, path := range files {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "_") {
			continue
		}
		var out strings.Builder
		fail(all.ExecuteTemplate(&out, name, data))
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		for _, document := range strings.Split(out.String(), "\n---\n") {
			var object map[string]interface{}
			if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
				fail(fmt.Errorf("%s: %w\n%s", name, err, document))
			}
			if object != nil {
				objects = append(objects, object)
			}
		}
	}
	fail(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{"values": values, "objects": objects}))
}
