// Places where the tests end the host by SIGKILL: just before a record is committed and just after. Built only with the
// tests, and only where FOUNDRY_CRASH_POINT is set do they do anything.
//   FOUNDRY_CRASH_POINT  NAME|before|N or NAME|after|N: the N-th pass (from 1) through the point; the name * is all
//   FOUNDRY_CRASH_LOG    a file to which the name of each point is appended when it is passed, and "has KIND/STEP" for each
//                        step that a recipe has
// Any thread.
#pragma once

#include "backend/actors/actorcontext.h"

namespace foundry::backend {

#ifdef FOUNDRY_CRASH_POINTS
bool crashPointsAreOn();
// In a transaction: "before" ends the host here, so that nothing of it is stored; "after" right after the commit,
// before what the transaction set going.
void crashPoint(Transaction &tx, const QString &name);
// Around an effect that is no record of ours.
void crashBefore(const QString &name);
void crashAfter(const QString &name);
// There is such a step, whether it is passed or not.
void crashHas(const QString &kind, const QString &step);
#else
inline constexpr bool crashPointsAreOn()
{
    return false;
}
inline void crashPoint(Transaction &, const QString &) { }
inline void crashBefore(const QString &) { }
inline void crashAfter(const QString &) { }
inline void crashHas(const QString &, const QString &) { }
#endif

} // namespace foundry::backend
