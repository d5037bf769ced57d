#include "tests/bench/fanreaders.h"

#include <array>
#include <cerrno>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace foundry::bench {

namespace {

// A masked text frame; the mask is zero, which is allowed.
QByteArray fanreadersFrame(const QByteArray &text)
{
    QByteArray frame("\x81", 1);
    if (text.size() < 126) {
        frame += char(0x80 | text.size());
    } else {
        frame += char(0xfe);
        frame += char(text.size() >> 8);
        frame += char(text.size() & 0xff);
    }
    return frame + QByteArray(4, '\0') + text;
}

} // namespace

FanReaders::~FanReaders()
{
    m_end = true;
    if (m_thread.joinable())
        m_thread.join();
    for (const Reader &reader : m_readers)
        ::close(reader.socket);
}

void FanReaders::start(quint16 port, const QStringList &paths, const QString &topic, std::function<void(bool)> ready)
{
    m_thread = std::thread([this, port, paths, topic, ready = std::move(ready)] {
        const bool open = connectAll(port, paths, topic);
        ready(open);
        if (open)
            loop();
    });
}

void FanReaders::notifyAt(qint64 frames, std::function<void()> reached)
{
    m_reached = std::move(reached);
    m_wanted = frames;
}

bool FanReaders::connectAll(quint16 port, const QStringList &paths, const QString &topic)
{
    const QByteArray listen = fanreadersFrame(
        R"({"body":{"tag":"SubscriptionRequest","val":{"eventName":")" + topic.toUtf8() + R"(","subscribe":true}}})");
    const QByteArray ask
        = fanreadersFrame(R"({"body":{"tag":"ActionRequest","val":{"id":["$BigInt","1"],"name":"revisions","args":[{}]}}})");
    for (const QString &path : paths) {
        Reader reader;
        reader.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(reader.socket, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
            return false;
        const QByteArray head = "GET " + path.toUtf8() + " HTTP/1.1\r\nHost: 127.0.0.1:" + QByteArray::number(port)
            + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: rivet, rivet_encoding.json\r\n\r\n";
        if (::send(reader.socket, head.constData(), size_t(head.size()), MSG_NOSIGNAL) != head.size())
            return false;
        QByteArray got;
        std::array<char, 4096> buffer;
        bool asked = false;
        while (!got.contains("ActionResponse")) { // it proves that the subscription is there
            const ssize_t read = ::recv(reader.socket, buffer.data(), buffer.size(), 0);
            if (read <= 0)
                return false;
            got.append(buffer.data(), read);
            if (!asked && got.contains("\"Init\"")) {
                const QByteArray both = listen + ask;
                asked = ::send(reader.socket, both.constData(), size_t(both.size()), MSG_NOSIGNAL) == both.size();
            }
        }
        m_readers.push_back(reader);
    }
    return true;
}

void FanReaders::take(Reader &reader)
{
    std::array<char, 256 * 1024> buffer;
    const ssize_t read = ::recv(reader.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (read <= 0)
        return;
    m_bytes += read;
    reader.pending.append(buffer.data(), read);
    qsizetype at = 0;
    qint64 frames = 0;
    const auto byte = [&reader](qsizetype n) { return qint64(uchar(reader.pending.at(n))); };
    while (reader.pending.size() - at >= 2) {
        qint64 length = byte(at + 1) & 0x7f;
        const qsizetype head = length < 126 ? 2 : length == 126 ? 4 : 10;
        if (reader.pending.size() - at < head)
            break;
        if (length >= 126) {
            length = 0;
            for (qsizetype n = 2; n < head; ++n)
                length = length << 8 | byte(at + n);
        }
        if (reader.pending.size() - at < head + length)
            break;
        at += head + length;
        ++frames;
    }
    reader.pending.remove(0, at);
    const qint64 all = m_frames += frames;
    if (const qint64 wanted = m_wanted; wanted >= 0 && all >= wanted) {
        m_wanted = -1;
        m_reached();
    }
}

void FanReaders::loop()
{
    std::vector<pollfd> polled;
    for (const Reader &reader : m_readers)
        polled.push_back({reader.socket, POLLIN, 0});
    while (!m_end) {
        if (::poll(polled.data(), polled.size(), 100) <= 0)
            continue;
        for (size_t n = 0; n < polled.size(); ++n) {
            if (polled[n].revents != 0)
                take(m_readers[n]);
        }
    }
}

} // namespace foundry::bench
