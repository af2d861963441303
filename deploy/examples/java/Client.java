// A client's life with the JDK alone (17 or later): java Client.java. Reads JETON_URL, CLIENT_ID and CLIENT_SECRET.

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Base64;
import java.util.regex.Pattern;

class Client {
    static final String JETON = System.getenv("JETON_URL");
    static final String ORDERS = JETON + "/oauth20/verify?scope=orders:read"; // put your service's URL here
    static final HttpClient HTTP = HttpClient.newHttpClient();

    public static void main(String[] arguments) throws Exception {
        // A token of the client's own (RFC 6749 section 4.4).
        var token = member("access_token", post("/oauth20/token", "grant_type=client_credentials&scope=orders:read"));
        expect(200, orders(token));

        // Asked about (RFC 7662), as a service that has got it would do.
        var answer = post("/oauth20/introspect", "token=" + URLEncoder.encode(token, UTF_8));
        if (!member("active", answer).equals("true")) throw new AssertionError(answer);

        // Revoked (RFC 7009): from here on nobody accepts it.
        post("/oauth20/revoke", "token=" + URLEncoder.encode(token, UTF_8));
        expect(401, orders(token));
        System.out.println("ok");
    }

    static int orders(String token) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(ORDERS)).header("Authorization", "Bearer " + token).build();
        return HTTP.send(request, BodyHandlers.discarding()).statusCode();
    }

    static String post(String path, String form) throws Exception {
        var client = URLEncoder.encode(System.getenv("CLIENT_ID"), UTF_8) + ":"
            + URLEncoder.encode(System.getenv("CLIENT_SECRET"), UTF_8);
        var request = HttpRequest.newBuilder(URI.create(JETON + path))
            .header("Authorization", "Basic " + Base64.getEncoder().encodeToString(client.getBytes(UTF_8)))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(form)).build();
        HttpResponse<String> response = HTTP.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) throw new IllegalStateException(response.body());
        return response.body();
    }

    /** A member of a flat JSON object; use your JSON library instead. */
    static String member(String name, String json) {
        var found = Pattern.compile('"' + name + "\"\\s*:\\s*\"?([^\",}]*)").matcher(json);
        if (!found.find()) throw new IllegalStateException("no " + name);
        return found.group(1);
    }

    static void expect(int status, int got) {
        if (got != status) throw new AssertionError(got + " instead of " + status);
    }
}
