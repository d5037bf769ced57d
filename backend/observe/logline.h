// One notable event as one line of the host's log: a JSON object that begins with "event", then what identifies it
// ("correlation", ids) and its figures. Goes through a category as its message:
//     qCInfo(lcActors, "%s", LogLine("actor_started").add("actor", name).text().constData());
// Never the text of prompts, answers or files, never a secret. Values are cut at 300 characters.
#pragma once

#include <QByteArray>
#include <QString>

namespace foundry::backend {

class LogLine {
public:
    explicit LogLine(const char *event);
    LogLine &add(const char *name, QStringView value); // left out when empty
    LogLine &add(const char *name, qint64 value);
    LogLine &addMilliseconds(const char *name, double seconds);
    QByteArray text() const { return m_text + '}'; }

private:
    QByteArray m_text;
};

} // namespace foundry::backend
