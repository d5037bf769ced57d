#include "backend/host/httpmessage.h"

#include <QString>

namespace foundry::backend {

namespace {

constexpr qsizetype kChunkLineLimit = 256;
constexpr qsizetype kTrailerLimit = 4096;

bool httpmessageIsToken(QByteArrayView text)
{
    if (text.isEmpty())
        return false;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !QByteArrayView("!#$%&'*+-.^_`|~").contains(c))
            return false;
    }
    return true;
}

bool httpmessageIsField(QByteArrayView text)
{
    for (const char c : text) {
        if ((uchar(c) < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

QByteArray httpmessageLower(QByteArrayView text)
{
    return text.toByteArray().toLower();
}

HttpHeadResult httpmessageInvalid()
{
    HttpHeadResult result;
    result.state = HttpHeadResult::State::Invalid;
    return result;
}

} // namespace

QByteArray HttpHead::header(QByteArrayView name) const
{
    QByteArray joined;
    bool first = true;
    for (const auto &[key, value] : headers) {
        if (key != name)
            continue;
        joined += first ? value : ", " + value;
        first = false;
    }
    return joined;
}

bool HttpHead::has(QByteArrayView name) const
{
    return std::any_of(headers.cbegin(), headers.cend(), [name](const auto &header) { return header.first == name; });
}

bool HttpHead::headerHasToken(QByteArrayView name, QByteArrayView token) const
{
    const QByteArray all = header(name);
    for (const QByteArray &part : all.split(',')) {
        if (part.trimmed().toLower() == token)
            return true;
    }
    return false;
}

bool HttpHead::isWebSocketUpgrade() const
{
    return method == "GET" && headerHasToken("connection", "upgrade") && headerHasToken("upgrade", "websocket");
}

bool HttpHead::keepAlive() const
{
    if (headerHasToken("connection", "close"))
        return false;
    return minorVersion >= 1 || headerHasToken("connection", "keep-alive");
}

HttpHeadResult parseHttpHead(QByteArrayView buffer)
{
    HttpHeadResult result;
    const qsizetype end = buffer.indexOf("\r\n\r\n");
    if (end < 0 || end + 4 > kHttpHeadLimit) {
        if (buffer.size() >= kHttpHeadLimit || end >= 0)
            result.state = HttpHeadResult::State::TooLarge;
        // A first line that cannot become a request (a TLS hello, say) need not be waited for.
        else if (!buffer.isEmpty() && (buffer.front() < 'A' || buffer.front() > 'Z'))
            result.state = HttpHeadResult::State::Invalid;
        return result;
    }
    qsizetype at = 0;
    bool firstLine = true;
    while (at <= end) {
        const qsizetype next = buffer.indexOf("\r\n", at);
        const QByteArrayView line = buffer.sliced(at, next - at);
        at = next + 2;
        if (firstLine) {
            firstLine = false;
            const QList<QByteArray> parts = line.toByteArray().split(' ');
            if (parts.size() != 3 || !httpmessageIsToken(parts.at(0)) || !parts.at(2).startsWith("HTTP/1.")
                || parts.at(2).size() != 8 || parts.at(2).at(7) < '0' || parts.at(2).at(7) > '9' || parts.at(1).isEmpty()
                || !httpmessageIsField(parts.at(1)) || (parts.at(1).front() != '/' && parts.at(1) != "*")) {
                return httpmessageInvalid();
            }
            result.head.method = parts.at(0);
            result.head.target = parts.at(1);
            result.head.minorVersion = parts.at(2).at(7) - '0';
            continue;
        }
        const qsizetype colon = line.indexOf(':');
        // A folded line (obsolete) begins with a space: refused, as everything that could be read in two ways.
        if (colon <= 0 || !httpmessageIsToken(line.first(colon)) || !httpmessageIsField(line.sliced(colon + 1)))
            return httpmessageInvalid();
        result.head.headers.append(
            {httpmessageLower(line.first(colon)), line.sliced(colon + 1).toByteArray().trimmed()});
    }
    result.state = HttpHeadResult::State::Complete;
    result.length = end + 4;
    return result;
}

HttpBodyReader::HttpBodyReader(const HttpHead &head, qsizetype limit)
    : m_limit(limit)
{
    const bool hasLength = head.has("content-length");
    if (head.has("transfer-encoding")) {
        m_chunked = head.header("transfer-encoding").toLower() == "chunked";
        m_state = m_chunked && !hasLength ? State::NeedMore : State::Invalid;
        return;
    }
    if (!hasLength)
        return;
    const QByteArray text = head.header("content-length");
    bool digits = !text.isEmpty() && text.size() < 16;
    for (const char c : text)
        digits = digits && c >= '0' && c <= '9';
    if (!digits) {
        m_state = State::Invalid;
        return;
    }
    m_left = qsizetype(text.toLongLong());
    m_state = m_left > m_limit ? State::TooLarge : m_left > 0 ? State::NeedMore : State::Complete;
}

HttpBodyReader::State HttpBodyReader::feed(QByteArray &buffer)
{
    if (m_state != State::NeedMore)
        return m_state;
    if (m_chunked)
        return m_state = feedChunks(buffer);
    const qsizetype taken = qMin(m_left, buffer.size());
    m_body += buffer.first(taken);
    buffer.remove(0, taken);
    m_left -= taken;
    if (m_left == 0)
        m_state = State::Complete;
    return m_state;
}

HttpBodyReader::State HttpBodyReader::feedChunks(QByteArray &buffer)
{
    for (;;) {
        if (m_expect == Expect::Data) {
            const qsizetype taken = qMin(m_left, buffer.size());
            m_body += buffer.first(taken);
            buffer.remove(0, taken);
            m_left -= taken;
            if (m_left > 0)
                return State::NeedMore;
            m_expect = Expect::DataEnd;
        }
        const qsizetype end = buffer.indexOf("\r\n");
        if (end < 0)
            return buffer.size() > (m_expect == Expect::Trailer ? kTrailerLimit : kChunkLineLimit) ? State::Invalid
                                                                                                    : State::NeedMore;
        const QByteArray line = buffer.first(end);
        buffer.remove(0, end + 2);
        if (m_expect == Expect::DataEnd) {
            if (!line.isEmpty())
                return State::Invalid;
            m_expect = Expect::Size;
        } else if (m_expect == Expect::Trailer) {
            if (line.isEmpty())
                return State::Complete;
        } else {
            const QByteArray digits = line.split(';').first().trimmed();
            bool ok = false;
            const qulonglong size = digits.toULongLong(&ok, 16);
            if (!ok || digits.isEmpty() || digits.size() > 12 || digits.front() == '+' || digits.startsWith("0x"))
                return State::Invalid;
            if (qsizetype(size) + m_body.size() > m_limit)
                return State::TooLarge;
            m_left = qsizetype(size);
            m_expect = size == 0 ? Expect::Trailer : Expect::Data;
        }
    }
}

QByteArray httpReason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 413:
        return "Content Too Large";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    default:
        return "Status";
    }
}

QByteArray encodeHttpResponse(int status, const QByteArray &contentType, const QByteArray &body,
    const QList<QPair<QByteArray, QByteArray>> &headers, bool keepAlive)
{
    QByteArray out = "HTTP/1.1 " + QByteArray::number(status) + ' ' + httpReason(status) + "\r\n";
    if (status != 204) {
        out += "Content-Type: " + contentType + "\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n";
        out += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
    }
    for (const auto &[name, value] : headers)
        out += name + ": " + value + "\r\n";
    out += keepAlive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    if (status != 204)
        out += body;
    return out;
}

QList<QPair<QString, QString>> parseQuery(QByteArrayView query)
{
    QList<QPair<QString, QString>> pairs;
    const auto decode = [](QByteArray text) {
        return QString::fromUtf8(QByteArray::fromPercentEncoding(text.replace('+', ' ')));
    };
    for (const QByteArray &part : query.toByteArray().split('&')) {
        if (part.isEmpty())
            continue;
        const qsizetype equals = part.indexOf('=');
        pairs.append({decode(equals < 0 ? part : part.first(equals)), equals < 0 ? QString() : decode(part.sliced(equals + 1))});
    }
    return pairs;
}

} // namespace foundry::backend
