// What a test reads in a transcript on screen, and how it answers a permission there as a user does: with the mouse or with
// the keyboard. GUI thread.
#pragma once

#include "views/transcript/transcriptview.h"

namespace foundry::test {

class TranscriptUser {
public:
    // `view` may be null: then nothing is there.
    explicit TranscriptUser(views::TranscriptView *view)
        : m_view(view)
        , m_model(view ? view->transcript() : nullptr)
    {
    }

    // Pointers are valid until the next turn of the event loop.
    const PermissionAsk *asked() const; // the newest permission without an answer
    const PermissionAsk *permission(const QString &request) const;
    std::optional<QString> answerOf(const QString &request) const;
    QString kindOf(const QString &request) const; // of the option that was chosen; empty when none was
    const TurnEnd *turnEnd() const;               // when it is the last entry
    QStringList story() const;                    // a line for each entry, for a failure's message

    // Chooses the first option of this kind; false when it cannot be reached.
    bool answerByMouse(const QString &kind);
    bool answerByKeyboard(const QString &kind);

private:
    std::optional<views::TranscriptView::HotRef> button(const QString &kind);

    views::TranscriptView *m_view;
    TranscriptModel *m_model;
};

} // namespace foundry::test
