// The prompts of one session that wait for the turn to end, above the composer: read, edit, remove. GUI thread.
#pragma once

#include "models/types/session.h"

#include <QPointer>
#include <QWidget>

class QVBoxLayout;

namespace foundry {
class QueuedPromptModel;
}

namespace foundry::views {

class ThemeProvider;

class QueuedList : public QWidget {
    Q_OBJECT
public:
    explicit QueuedList(ThemeProvider *theme, QWidget *parent = nullptr);

    void setQueue(QueuedPromptModel *queue);
    void setSession(const SessionId &session);
    int count() const { return m_count; }
    // The prompt that is in the composer for editing is marked; empty: none.
    void setEdited(const QueueId &queued);

Q_SIGNALS:
    void editRequested(const foundry::QueueId &queued, const QString &text);
    void dropRequested(const foundry::QueueId &queued);
    void countChanged(int count);

private:
    void rebuild();

    ThemeProvider *m_theme;
    QPointer<QueuedPromptModel> m_queue;
    SessionId m_session;
    QueueId m_edited;
    QVBoxLayout *m_rows;
    int m_count = 0;
};

} // namespace foundry::views
