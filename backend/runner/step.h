// One command at work. Made by makeStep(), started once, tells its end once.
#pragma once

#include "backend/runner/promptparser.h"

#include <QObject>
#include <memory>

namespace foundry::runner {

class Turn;

class Step : public QObject {
    Q_OBJECT
public:
    Step(Turn &ofTurn, Command asked)
        : turn(ofTurn)
        , command(std::move(asked))
    {
    }
    virtual void start() = 0;
    // finished(false) comes, at once or when its program has ended.
    virtual void cancel() = 0;

Q_SIGNALS:
    // false: failed, rejected or cancelled; what comes after it is not begun.
    void finished(bool ok);

protected:
    Turn &turn;
    const Command command;
};

std::unique_ptr<Step> makeStep(Turn &turn, const Command &command);

} // namespace foundry::runner
