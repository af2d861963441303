// A client's life with golang.org/x/oauth2. Reads JETON_URL, CLIENT_ID and CLIENT_SECRET.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

var jeton, id, secret = os.Getenv("JETON_URL"), os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET")

func main() {
	orders := jeton + "/oauth20/verify?scope=orders:read" // put your service's URL here

	// A token of the client's own (RFC 6749 section 4.4). The client gets another when it is near its end.
	config := clientcredentials.Config{
		ClientID: id, ClientSecret: secret, TokenURL: jeton + "/oauth20/token",
		Scopes: []string{"orders:read"}, AuthStyle: oauth2.AuthStyleInHeader,
	}
	source := config.TokenSource(context.Background())
	token, err := source.Token()
	check(err)
	client := oauth2.NewClient(context.Background(), source)
	expect(client.Get(orders)).is(http.StatusOK)

	// Asked about (RFC 7662), as a service that has got it would do.
	answer := expect(post("/oauth20/introspect", token.AccessToken)).is(http.StatusOK)
	var state struct{ Active bool }
	check(json.NewDecoder(answer.Body).Decode(&state))
	if !state.Active {
		log.Fatal("a new token is not active")
	}

	// Revoked (RFC 7009): from here on nobody accepts it.
	expect(post("/oauth20/revoke", token.AccessToken)).is(http.StatusOK)
	expect(client.Get(orders)).is(http.StatusUnauthorized)
	fmt.Println("ok")
}

// post sends a token, and says who asks.
func post(path, token string) (*http.Response, error) {
	body := strings.NewReader(url.Values{"token": {token}}.Encode())
	request, err := http.NewRequest(http.MethodPost, jeton+path, body)
	check(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	return http.DefaultClient.Do(request)
}

type answered struct{ *http.Response }

func expect(response *http.Response, err error) answered {
	check(err)
	return answered{response}
}

func (a answered) is(status int) answered {
	if a.StatusCode != status {
		log.Fatalf("%s instead of %d", a.Status, status)
	}
	return a
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
