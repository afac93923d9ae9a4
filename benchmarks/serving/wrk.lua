-- Sends the bodies of a file in turn. WATCHNEXT_BODIES names it: each body follows its length and a line break.
local requests, at = {}, 0

function init()
  local file = assert(io.open(os.getenv("WATCHNEXT_BODIES"), "rb"))
  local headers = { ["Content-Type"] = os.getenv("WATCHNEXT_CONTENT_TYPE"), ["Accept"] = os.getenv("WATCHNEXT_ACCEPT") }
  local authorization = os.getenv("WATCHNEXT_AUTHORIZATION")
  if authorization ~= "" then headers["Authorization"] = authorization end
  for length in function() return file:read("*l") end do
    requests[#requests + 1] = wrk.format("POST", os.getenv("WATCHNEXT_PATH"), headers, file:read(tonumber(length)))
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local failed = summary.errors
  print(string.format(
    'JSON {"p50": %f, "p95": %f, "p99": %f, "requests": %d, "seconds": %f, "failed": %d}',
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000,
    summary.requests, summary.duration / 1e6, failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
