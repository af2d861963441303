-- Asks Jeton about a request, for `http-request lua.jeton URL`: lets it pass with the identity in its headers and sets
-- txn.jeton_accepted, or answers it with Jeton's refusal.

-- HAProxy tries up to four times, each this long.
local TIMEOUT_MS = 1000
local CREDENTIALS = { "authorization", "api-key", "x-api-key" }
local IDENTITY = {
    "x-auth-subject", "x-auth-client", "x-auth-workspace", "x-auth-scope", "x-auth-token-id", "x-auth-expires",
}
local PASSED_ON = { "content-type", "www-authenticate", "retry-after", "cache-control", "x-request-id" }

-- HAProxy counts the values of a header from 0.
local function values(of)
    local list = {}
    for index = 0, #of do
        list[#list + 1] = of[index]
    end
    return list
end

local function ask(txn, url)
    local received = txn.http:req_get_headers()
    local headers = { ["x-forwarded-for"] = { txn.f:src() } }
    for _, name in ipairs(CREDENTIALS) do
        if received[name] then
            headers[name] = values(received[name])
        end
    end
    return core.httpclient():get { url = url, headers = headers, timeout = TIMEOUT_MS }
end

local function refuse(txn, answer)
    local reply = txn:reply { status = answer.status, body = answer.body }
    for _, name in ipairs(PASSED_ON) do
        for _, value in ipairs(values(answer.headers[name] or {})) do
            reply:add_header(name, value)
        end
    end
    txn:done(reply)
end

core.register_action("jeton", { "http-req" }, function(txn, url)
    local answer = ask(txn, url)
    if answer.status == 200 then
        for _, name in ipairs(IDENTITY) do
            txn.http:req_set_header(name, answer.headers[name] and answer.headers[name][0] or "")
        end
        txn:set_var("txn.jeton_accepted", true)
    elseif answer.status >= 400 and answer.headers then
        refuse(txn, answer)
    end
end, 1)
