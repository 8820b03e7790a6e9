/** What runs in integers? Where each tensor becomes integers, and what is written for it. */
@NullMarked
package org.nni4j.export.integer;

import org.jspecify.annotations.NullMarked;
